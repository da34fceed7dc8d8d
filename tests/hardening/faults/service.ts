/** The built product under each of its hosts, in a folder of its own: native, under PM2, and a worker alone. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { descendantsOf, processOf } from '../../../src/platform/process-tree.js';
import type { Status } from '../../../src/supervisor/report/status.js';
import type { ControlGroup } from '../../support/control-group.js';
import { FailingWorkers } from '../../support/failing-workers.js';
import type { FakeClock } from '../../support/fake-clock.js';
import { CLUSTER, folder, follow, freePort, isAlive, parse, request, ROOT } from '../../support/processes.js';
import { killGroup, until, type LogLine, type Running } from '../../support/processes.js';
import { Pm2 } from '../../support/pm2.js';
import type { Pipe } from '../../support/slow-reader.js';

export type Host = 'native' | 'PM2' | 'alone';

/** How a service is started, where it is not as usual. */
export interface Setting {
  /** A command that starts it in its turn and becomes it. */
  readonly launcher?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Of its processes, which have its `env`. */
  readonly clock?: FakeClock;
  /** The launcher has made this file its standard output. */
  readonly logFile?: string;
  /** Standard output, which is read as the test likes. */
  readonly pipe?: Pipe;
  /** In which it runs; removed with it. */
  readonly group?: ControlGroup;
  /** Of the app file. */
  readonly fields?: object;
  /** Another program of Node than ours. */
  readonly node?: string;
  /** The app file's own folder has this name. */
  readonly named?: string;
}

export interface Service {
  readonly host: Host;
  readonly port: number;
  /** Everything of the service is in it. */
  readonly folder: string;
  readonly setting: Setting;
  readonly failing: FailingWorkers;
  readonly wanted: number;
  /** The supervisor, PM2's daemon, or the worker alone; 0 where it has not been started. */
  readonly pid: number;
  /** The pids of the workers that run now. */
  workers(): number[];
  lines(): readonly LogLine[];
  /** Resolves when it has been started, not when it serves. */
  start(): Promise<void>;
  /** Stops it in order. @returns its exit code */
  stop(): Promise<number | null>;
  /** How it ended by itself. */
  ended(): Promise<number | null>;
  /** A command of the native supervisor. */
  command(...args: string[]): Promise<{ readonly code: number | null; readonly text: string }>;
  /** A path of the service as its processes see it, which may have mounted something there. */
  seen(path: string): string;
  end(): Promise<void>;
}

const WORKERS = 2;

/** Lines of the access log only where they are wanted, so that a minute of load stays readable. */
const PRELUDE = `process.env.LOG_LEVEL = process.env.WORKER_LOG_LEVEL ?? 'warn';\n`;

export const needsRoot = (): string | undefined =>
  process.getuid?.() === 0 ? undefined : 'needs root, to mount file systems of its own';

export async function createService(
  host: Host,
  settingIn: (folder: string) => Setting = () => ({}),
): Promise<Service> {
  const own = folder();
  const setting = settingIn(own);
  const port = await freePort();
  for (const name of ['run', 'tmp']) mkdirSync(join(own, name), { mode: 0o700, recursive: true });
  const failing = new FailingWorkers(join(own, setting.named ?? 'app'));
  const file = failing.appFile(setting.fields);
  const program = join(own, setting.named ?? 'app', 'app.js');
  writeFileSync(program, PRELUDE + readFileSync(program, 'utf8'));
  const env = {
    PORT: String(port),
    WEB_CONCURRENCY: String(WORKERS),
    RUN_DIR: join(own, 'run'),
    TMPDIR: join(own, 'tmp'),
    NO_COLOR: '1',
    ...setting.env,
  };
  const needs = { own, port, failing, file, program, env, setting };
  return host === 'PM2' ? underPm2(needs) : foreground(needs, host);
}

interface Needs {
  readonly own: string;
  readonly port: number;
  readonly failing: FailingWorkers;
  readonly file: string;
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly setting: Setting;
}

/** The native supervisor, and a worker alone. */
function foreground({ own, port, failing, file, program, env, setting }: Needs, host: Host): Service {
  const { launcher = [], group, pipe, logFile, node = process.execPath } = setting;
  const args = host === 'native' ? [CLUSTER, '--config', file] : [program];
  const { PATH = '', HOME = '', EXPRESS_TUNING = 'on' } = process.env;
  const shell = { PATH, HOME, EXPRESS_TUNING, FEATURES: 'off', ...env };
  const runs: Running[] = [];
  const spawned = (command: readonly string[], stdout: 'pipe' | number): Running =>
    follow(
      spawn(command[0] ?? '', command.slice(1), {
        cwd: ROOT,
        env: shell,
        stdio: ['ignore', stdout, 'pipe'],
        detached: true,
      }),
    );
  const pid = (): number => runs.at(-1)?.pid ?? 0;
  const seen = (path: string): string => `/proc/${pid()}/root${path}`;
  const ended = async (): Promise<number | null> => (await runs.at(-1)?.ended)?.code ?? null;
  return {
    host,
    port,
    folder: own,
    setting,
    failing,
    seen,
    ended,
    wanted: host === 'native' ? WORKERS : 1,
    get pid() {
      return pid();
    },
    workers: () => (host === 'native' ? workersOf(pid()) : [pid()].filter(isAlive)),
    lines: () => [
      ...runs.flatMap(({ lines }) => lines),
      ...linesOf(pipe?.text() ?? ''),
      ...linesOf(logFile === undefined ? '' : contentOf(seen(logFile))),
    ],
    start() {
      runs.push(spawned([...(group?.launcher ?? []), ...launcher, node, ...args], pipe?.fd ?? 'pipe'));
      if (pipe !== undefined) closeSync(pipe.fd);
      return Promise.resolve();
    },
    stop() {
      runs.at(-1)?.kill('SIGTERM');
      return ended();
    },
    async command(...words) {
      const run = spawned([process.execPath, CLUSTER, ...words, '--config', file], 'pipe');
      const { code } = await run.ended;
      return { code, text: run.text() };
    },
    async end() {
      for (const run of runs) killGroup(run.pid);
      await ended();
      await group?.remove();
    },
  };
}

function underPm2({ own, port, failing, file, env, setting }: Needs): Service {
  const pm2 = new Pm2(env);
  return {
    host: 'PM2',
    port,
    folder: own,
    setting,
    failing,
    wanted: WORKERS,
    get pid() {
      return pm2.daemon;
    },
    workers: () => workersOf(pm2.daemon),
    lines: () => pm2.logs().map(parse),
    async start() {
      const { group, launcher = [] } = setting;
      const from = { cwd: ROOT, launcher: [...(group?.launcher ?? []), ...launcher] };
      const { code, text } = await pm2.runFrom(from, 'start', file);
      if (code !== 0) throw new Error(`pm2 start failed:\n${text}`);
    },
    stop: async () => (await pm2.run('stop', file)).code,
    ended: () => Promise.reject(new Error('the daemon does not end by itself')),
    command: (...words) => pm2.run(...words),
    seen: path => `/proc/${pm2.daemon}/root${path}`,
    async end() {
      await pm2.end();
      await setting.group?.remove();
    },
  };
}

const linesOf = (text: string): LogLine[] => text.split('\n').filter(Boolean).map(parse);

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // no file yet, or its process has ended
  }
}

/** Children that `node:cluster` has forked. */
function workersOf(pid: number): number[] {
  const supervisor = processOf(pid);
  if (pid === 0 || supervisor === undefined) return [];
  return descendantsOf(supervisor)
    .map(child => child.pid)
    .filter(child => contentOf(`/proc/${child}/environ`).includes('NODE_UNIQUE_ID='));
}

/** What the native supervisor says over its socket. */
export async function statusOf(service: Service): Promise<Status> {
  const { RUN_DIR = join(service.folder, 'run') } = service.setting.env ?? {};
  const socketPath = service.seen(join(RUN_DIR, 'supervisor.sock'));
  return (await request(0, '/status', { socketPath, timeout: 2_000 })).json() as Status;
}

/** Resolves when every worker answers requests itself; a service without control socket is not asked for more. */
export async function untilAllServe(
  service: Service,
  patienceMs: number,
  hasControl: boolean,
): Promise<void> {
  const { host, wanted, port } = service;
  await until(
    async () => {
      const pids = new Set(service.workers());
      if (pids.size !== wanted) return false;
      for (let tried = 0; tried < 200 && pids.size > 0; tried++) {
        const pid = await answeringPid(port);
        if (pid === undefined) return false;
        pids.delete(pid);
      }
      if (pids.size > 0 || host !== 'native' || !hasControl) return pids.size === 0;
      const status = await statusOf(service).catch(() => undefined);
      return status?.served === wanted;
    },
    `all ${wanted} workers serve`,
    patienceMs,
  );
}

async function answeringPid(port: number): Promise<number | undefined> {
  try {
    const answer = await request(port, '/health', { signal: AbortSignal.timeout(3_000) });
    return (answer.json() as { readonly worker: number }).worker;
  } catch {
    return undefined;
  }
}
