/** The service of a soak: a copy of `dist` in its own folder, in which builds can be deployed, also broken ones. */
import { cpSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Status } from '../../src/supervisor/report/status.js';
import { killGroup, request, ROOT, start, until, type Answer, type Running } from '../support/processes.js';
import { descriptorsOf } from '../support/sockets.js';
import { CRASH_CODE, GROWTH_LIMIT, FailingWorkers } from '../support/failing-workers.js';
import { FakeClock } from '../support/fake-clock.js';
import { Output } from './output.js';

/** What a build does at boot: JavaScript in front of the worker. */
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

/** The watched file, in the folder of the app file. */
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

/** The app file as it should be: followed by something else, without its end, and so on. */
const APP_FILES = {
  valid: (text: string) => text,
  'with a schedule': () => appFile({ ...APP, cron_restart: '*/30 * * * * *' }),
  'does not parse': (text: string) => text.slice(0, -20),
  throws: (text: string) => `${text}throw new Error('a broken app file');`,
  exits: (text: string) => `${text}process.exit(0);`,
  'has no app': () => 'module.exports = { apps: [] };',
  'never ends': (text: string) => `${text}for (;;);`,
} as const satisfies Record<string, (text: string) => string>;

export type AppFile = keyof typeof APP_FILES;

const appFile = (app: object): string => `module.exports = { apps: [${JSON.stringify(app)}] };\n`;

/** The program of the app file: the real worker, which fails on request. */
const program = (faultInjection: string, build: Build, logLevel: string): string => `
process.env.LOG_LEVEL = '${logLevel}';
const hold = ms => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
${faultInjection}
${BUILDS[build]}
require('./program.js');
`;

export class SoakService {
  readonly folder = mkdtempSync(join(tmpdir(), 'cabe-soak-'));
  readonly port: number;
  readonly failing = new FailingWorkers(join(this.folder, 'faults'));
  readonly output: Output | undefined;
  readonly clock: FakeClock | undefined;
  private readonly logLevel: string;
  private running: Running | undefined;

  /** @param chaos its output can be stalled and its clock set (where libfaketime is installed), and it logs every request */
  constructor(port: number, { chaos }: { readonly chaos: boolean }) {
    this.port = port;
    this.logLevel = chaos ? 'info' : 'warn';
    this.output = chaos ? new Output(join(this.folder, 'output')) : undefined;
    this.clock = chaos && FakeClock.isInstalled() ? new FakeClock(join(this.folder, 'clock')) : undefined;
    cpSync(join(ROOT, 'dist'), join(this.folder, 'dist'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(this.folder, 'package.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'));
    renameSync(join(this.folder, 'dist', 'index.js'), join(this.folder, 'dist', 'program.js'));
    this.deploy('healthy');
    this.writeAppFile('valid');
    this.touch();
  }

  /** Changes the watched file. */
  touch(): void {
    writeFileSync(join(this.folder, WATCHED), String(performance.now()));
  }

  /** Replaces the build on the disk; the supervisor learns of it by a reload or a restart only. */
  deploy(build: Build): void {
    const dist = join(this.folder, 'dist');
    writeFileSync(join(dist, 'index.js'), program(this.failing.prelude(), build, this.logLevel));
  }

  writeAppFile(content: AppFile): void {
    writeFileSync(join(this.folder, 'ecosystem.config.js'), APP_FILES[content](appFile(APP)));
  }

  async start(workers: number): Promise<void> {
    this.running = start(
      [join(this.folder, 'dist', 'cluster.js')],
      {
        PORT: String(this.port),
        WEB_CONCURRENCY: String(workers),
        RUN_DIR: this.runDirectory,
        ...this.clock?.env,
      },
      this.folder,
      this.output?.launcher,
    );
    this.output?.read();
    await until(
      async () => (await this.status().catch(() => undefined))?.state === 'ready',
      'the service is ready',
    );
  }

  get runDirectory(): string {
    return join(this.folder, 'run');
  }

  /** The last lines of its log. */
  lastLines(): string {
    return `${this.output?.lastLines() ?? ''}\n${this.supervisor.text().split('\n').slice(-60).join('\n')}`;
  }

  get supervisor(): Running {
    if (this.running === undefined) throw new Error('the service has not been started');
    return this.running;
  }

  async status(): Promise<Status> {
    return (await this.request('GET', '/status')).json() as Status;
  }

  /** Sends a command over the control socket, and resolves with its result. */
  async command(
    path: string,
    body?: object,
  ): Promise<{ readonly ok: boolean; readonly reason: string | null }> {
    const answer = await this.request('POST', path, body);
    return answer.json() as { ok: boolean; reason: string | null };
  }

  private request(method: string, path: string, body?: object): Promise<Answer> {
    const socketPath = join(this.runDirectory, 'supervisor.sock');
    return request(0, path, {
      socketPath,
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** How many descriptors the supervisor has open, to find leaks. */
  descriptorCount(): number {
    return descriptorsOf(this.supervisor.pid).length;
  }

  /** Kills every process of the service and removes its folder. */
  async end(): Promise<void> {
    if (this.running !== undefined) {
      killGroup(this.running.pid);
      await this.running.ended;
    }
    this.output?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
