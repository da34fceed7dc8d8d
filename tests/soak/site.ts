/** The service under soak: a copy of `dist` in a folder of its own, so that its builds can be broken and mended. */
import { cpSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Status } from '../../src/supervisor/report/status.js';
import { request, ROOT, start, until, type Answer, type Running } from '../support/processes.js';
import { descriptorsOf } from '../support/sockets.js';
import { CRASH_CODE, GROWTH_LIMIT, Stunts } from '../support/stunts.js';

/** What a deployed build does when it is started. */
export const BUILDS = {
  healthy: '',
  'boots slowly': 'hold(1_500);',
  crashes: 'process.exit(3);',
  throws: "throw new Error('a broken build');",
  'does not parse': 'const = ;',
  'is never ready': 'hold(60_000);',
  'crashes once it is ready': `setTimeout(() => process.exit(${CRASH_CODE}), 600);`,
} as const;

export type Build = keyof typeof BUILDS;

export const BROKEN = [
  'crashes',
  'throws',
  'does not parse',
  'is never ready',
  'crashes once it is ready',
] as const satisfies readonly Build[];

/** The file whose changes are rolled out, in the folder of the app file. */
const WATCHED = 'deployed';

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
  max_memory_restart: GROWTH_LIMIT,
  watch: [WATCHED],
  watch_delay: 100,
  env: { NODE_ENV: 'production', DRAIN_TIMEOUT_MS: '2500', LOG_LEVEL: 'info' },
};

/** In front of the real program: a worker that does stunts, and does not log every request. */
const worker = (stunts: string, build: Build): string => `
process.env.LOG_LEVEL = 'warn';
const hold = ms => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
${stunts}
${BUILDS[build]}
require('./program.js');
`;

export class Site {
  readonly at = mkdtempSync(join(tmpdir(), 'cabe-soak-'));
  readonly port: number;
  readonly stunts = new Stunts(join(this.at, 'stunts'));
  private running: Running | undefined;

  constructor(port: number) {
    this.port = port;
    cpSync(join(ROOT, 'dist'), join(this.at, 'dist'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(this.at, 'package.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(this.at, 'node_modules'));
    renameSync(join(this.at, 'dist', 'index.js'), join(this.at, 'dist', 'program.js'));
    this.deploy('healthy');
    this.writeAppFile(true);
    this.touch();
  }

  /** Changes the watched file. */
  touch(): void {
    writeFileSync(join(this.at, WATCHED), String(performance.now()));
  }

  /** What is on the disk from now on; nobody is told. */
  deploy(build: Build): void {
    const dist = join(this.at, 'dist');
    writeFileSync(join(dist, 'index.js'), worker(this.stunts.prelude(), build));
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
