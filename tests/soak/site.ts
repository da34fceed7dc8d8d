/** The service under soak: a copy of `dist` in a folder of its own, so that its builds can be broken and mended. */
import { cpSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Status } from '../../src/supervisor/status.js';
import { request, ROOT, start, until, type Answer, type Running } from '../support/processes.js';
import { descriptorsOf } from '../support/sockets.js';

/** What a deployed build does when it is started. */
export const BUILDS = {
  healthy: '',
  'boots slowly': 'hold(1_500);',
  crashes: 'process.exit(3);',
  throws: "throw new Error('a broken build');",
  'does not parse': 'const = ;',
  'is never ready': 'hold(60_000);',
  'crashes once it is ready': 'setTimeout(() => process.exit(7), 600);',
} as const;

export type Build = keyof typeof BUILDS;

export const BROKEN = [
  'crashes',
  'throws',
  'does not parse',
  'is never ready',
  'crashes once it is ready',
] as const satisfies readonly Build[];

/** So much does a worker grow when it is told to; the limit of the app file lies between it and a usual one. */
const GROWTH_MB = 320;

const APP = {
  name: 'soak',
  script: './dist/index.js',
  exec_mode: 'cluster',
  wait_ready: true,
  listen_timeout: 10_000,
  min_uptime: 1_000,
  kill_timeout: 3_500,
  shutdown_with_message: true,
  exp_backoff_restart_delay: 100,
  stop_exit_codes: [5, 6],
  max_memory_restart: '300M',
  env: { NODE_ENV: 'production', DRAIN_TIMEOUT_MS: '2500', LOG_LEVEL: 'info' },
};

/** In front of the real program: a worker that grows when it hears SIGUSR2, and does not log every request. */
const worker = (build: Build): string => `
process.env.LOG_LEVEL = 'warn';
const hold = ms => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
process.on('SIGUSR2', () => { globalThis.hoard = Buffer.alloc(${GROWTH_MB} * 2 ** 20, 1); });
${BUILDS[build]}
require('./program.js');
`;

export class Site {
  readonly at = mkdtempSync(join(tmpdir(), 'cabe-soak-'));
  readonly port: number;
  private running: Running | undefined;

  constructor(port: number) {
    this.port = port;
    cpSync(join(ROOT, 'dist'), join(this.at, 'dist'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(this.at, 'package.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(this.at, 'node_modules'));
    renameSync(join(this.at, 'dist', 'index.js'), join(this.at, 'dist', 'program.js'));
    this.deploy('healthy');
    this.writeAppFile(true);
  }

  /** What is on the disk from now on; nobody is told. */
  deploy(build: Build): void {
    writeFileSync(join(this.at, 'dist', 'index.js'), worker(build));
  }

  writeAppFile(valid: boolean): void {
    const text = `module.exports = { apps: [${JSON.stringify(APP)}] };\n`;
    writeFileSync(join(this.at, 'ecosystem.config.js'), valid ? text : text.slice(0, -20));
  }

  async start(workers: number): Promise<void> {
    this.running = start(
      [join(this.at, 'dist', 'cluster.js')],
      { PORT: String(this.port), WEB_CONCURRENCY: String(workers), RUN_DIR: join(this.at, 'run') },
      this.at,
    );
    await until(
      async () => (await this.status().catch(() => undefined))?.state === 'ready',
      'the service is ready',
    );
  }

  get supervisor(): Running {
    if (this.running === undefined) throw new Error('the service has not been started');
    return this.running;
  }

  async status(): Promise<Status> {
    return (await this.ask('GET', '/status')).json() as Status;
  }

  /** An order over the control socket; resolves with how it ended. */
  async order(
    path: string,
    body?: object,
  ): Promise<{ readonly ok: boolean; readonly reason: string | null }> {
    const answer = await this.ask('POST', path, body);
    return answer.json() as { ok: boolean; reason: string | null };
  }

  private ask(method: string, path: string, body?: object): Promise<Answer> {
    const socketPath = join(this.at, 'run', 'supervisor.sock');
    return request(0, path, {
      socketPath,
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Open descriptors of the supervisor: what leaks shows here. */
  descriptors(): number {
    return descriptorsOf(this.supervisor.pid).length;
  }

  /** Whatever happened: no process and no file is left. */
  async end(): Promise<void> {
    if (this.running !== undefined) {
      try {
        process.kill(-this.running.pid, 'SIGKILL');
      } catch {
        // nobody of its group is left
      }
      await this.running.ended;
    }
    rmSync(this.at, { recursive: true, force: true });
  }
}
