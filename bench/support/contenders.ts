/** The contenders: a worker alone, or workers under a supervisor; how each is started, reloaded and stopped. */
import { existsSync, mkdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { answering } from './client.js';
import { childrenOf, isAlive } from './proc.js';
import {
  folder,
  freePort,
  LogFile,
  onExit,
  ROOT,
  start,
  stop,
  stopPid,
  until,
  type Start,
} from './processes.js';

const CONTENDERS = join(ROOT, 'bench', 'contenders');
const WORKER = join(ROOT, 'dist', 'index.js');
const SUPERVISOR = join(ROOT, 'dist', 'cluster.js');
const APP_FILE = join(ROOT, 'ecosystem.config.js');
const PM2 = join(ROOT, 'node_modules', 'pm2', 'bin', 'pm2');

export interface Place {
  /** The Node binary. */
  readonly node: string;
  readonly port: number;
  readonly workers: number;
  readonly cpu?: number | undefined;
}

/** A running contender. */
export interface Running {
  readonly port: number;
  readonly log: LogFile;
  /** Pid of the supervisor; `undefined` for a worker alone. */
  readonly supervisor: () => number | undefined;
  readonly workers: () => number[];
  /** Runs the reload command and waits for its end. */
  readonly reload?: () => Promise<void>;
  /** Runs the command that lists the workers. */
  readonly status?: () => Promise<void>;
  /** Stops it and waits until it has ended. */
  readonly stop: () => Promise<void>;
  /** Path of the control socket, if there is one. */
  readonly socket?: string;
}

export interface Contender {
  readonly name: string;
  readonly label: string;
  /** Does less than the others on purpose: no headers, no log. Only its body is compared. */
  readonly floor?: boolean;
  /** Starts it without waiting. */
  readonly launch: (place: Place) => Running;
}

function alone(
  name: string,
  label: string,
  program: string,
  env: Readonly<Record<string, string>> = {},
): Contender {
  return {
    name,
    label,
    ...(env['RAW'] === 'bare' ? { floor: true } : {}),
    launch({ node, port, cpu }) {
      const home = folder();
      const log = new LogFile(join(home.path, 'out.log'));
      const child = start({ node, args: [program], env: { PORT: String(port), ...env }, log, cpu });
      return {
        port,
        log,
        supervisor: () => undefined,
        workers: () => [child.pid],
        async stop() {
          await stop(child);
          home.remove();
        },
      };
    },
  };
}

function supervised(
  name: string,
  label: string,
  command: (place: Place, runDir: string) => Pick<Start, 'args' | 'env'>,
  commands?: { readonly reload: readonly string[]; readonly status: readonly string[] },
): Contender {
  return {
    name,
    label,
    launch(place) {
      const home = folder();
      const log = new LogFile(join(home.path, 'out.log'));
      const what = { node: place.node, ...command(place, home.path) };
      const child = start({ ...what, log });
      const runCommand = (args: readonly string[]) => (): Promise<void> => run({ ...what, args });
      return {
        port: place.port,
        log,
        supervisor: () => child.pid,
        workers: () => workersOf(child.pid),
        ...(commands === undefined
          ? {}
          : {
              reload: runCommand(commands.reload),
              status: runCommand(commands.status),
              socket: join(home.path, 'supervisor.sock'),
            }),
        async stop() {
          await stop(child);
          home.remove();
        },
      };
    },
  };
}

function underPm2(name: string, label: string, appFile: string, app: string): Contender {
  return {
    name,
    label,
    launch({ node, port, workers }) {
      const home = folder();
      mkdirSync(join(home.path, 'logs'));
      const env = {
        PM2_HOME: home.path,
        PM2_DISCRETE_MODE: 'true',
        NO_COLOR: '1',
        PORT: String(port),
        WEB_CONCURRENCY: String(workers),
      };
      const command = (...args: string[]): Promise<void> => run({ node, args: [PM2, ...args], env });
      const daemon = (): number | undefined => {
        const file = join(home.path, 'pm2.pid');
        return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
      };
      const unregister = onExit(() => {
        const pid = daemon();
        if (pid === undefined || !isAlive(pid)) return;
        for (const each of [pid, ...childrenOf(pid)]) process.kill(each, 'SIGKILL');
      });
      const starting = command('start', appFile);
      return {
        port,
        log: new LogFile(join(home.path, 'logs', `${app}-out.log`)),
        supervisor: daemon,
        workers: () => workersOf(daemon()),
        reload: () => command('reload', app),
        status: () => command('jlist'),
        async stop() {
          await starting;
          const pid = daemon();
          await command('kill');
          if (pid !== undefined) await stopPid(pid, 'SIGKILL');
          unregister();
          home.remove();
        },
      };
    },
  };
}

/** Runs a command to its end. */
async function run(what: Start): Promise<void> {
  const child = start(what);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`"${what.args.join(' ')}" ended with ${code}`);
}

/** The child processes that run the same Node; PM2's daemon sometimes also runs a shell. */
function workersOf(supervisor: number | undefined): number[] {
  if (supervisor === undefined) return [];
  return childrenOf(supervisor).filter(pid => executable(pid) === executable(supervisor));
}

/** The binary of a process; empty if it has ended. */
function executable(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

const program = (name: string): string => join(CONTENDERS, name);

export const ALONE = {
  bare: alone('bare', 'node:http, bare (no headers, no log)', program('raw.cjs'), { RAW: 'bare' }),
  raw: alone('raw', 'node:http, same headers and log', program('raw.cjs')),
  rawBatched: alone('raw-batched', 'the same, log lines batched', program('raw.cjs'), { LOG: 'batched' }),
  fastify: alone('fastify', 'Fastify, its helmet and logger', program('fastify.cjs')),
  express5: alone('express5', 'Express 5, helmet, pino-http', program('express.cjs')),
  express5Batched: alone('express5-batched', 'the same, log lines batched', program('express.cjs'), {
    LOG: 'batched',
  }),
  express4: alone('express4', 'Express 4, helmet, pino-http', program('express.cjs'), { EXPRESS: '4' }),
  ours: alone('ours', 'this worker', WORKER),
  protected: alone('protected', 'OVERLOAD_PROTECTION=on', program('computing.cjs'), {
    OVERLOAD_PROTECTION: 'on',
  }),
  unprotected: alone('unprotected', 'without it', program('computing.cjs')),
  observed: alone('observed', 'metrics, watchdog and traces', WORKER, { MANAGEMENT_PORT: '19464' }),
  unobserved: alone('unobserved', 'none of them: OBSERVER=off', WORKER, { OBSERVER: 'off' }),
  oursUntuned: alone('ours-untuned', 'this worker, tuning off', WORKER, { EXPRESS_TUNING: 'off' }),
} as const;

/** The native supervisor; `env` selects how connections reach its workers, `file` its app file. */
function native(
  name: string,
  label: string,
  {
    env = {},
    file = APP_FILE,
  }: { readonly env?: Readonly<Record<string, string>>; readonly file?: string } = {},
): Contender {
  return supervised(
    name,
    label,
    ({ port, workers }, runDir) => ({
      args: [SUPERVISOR, 'start', '--config', file],
      env: { PORT: String(port), WEB_CONCURRENCY: String(workers), RUN_DIR: runDir, ...env },
    }),
    { reload: [SUPERVISOR, 'reload'], status: [SUPERVISOR, 'status', '--json'] },
  );
}

export const SUPERVISED = {
  pm2: underPm2('pm2', 'PM2 + Express 5, helmet, pino-http', program('pm2.config.cjs'), 'standard'),
  cluster: supervised('cluster', 'node:cluster + the same', ({ port, workers }) => ({
    args: [program('cluster.cjs')],
    env: { PORT: String(port), WORKERS: String(workers), PROGRAM: program('express.cjs') },
  })),
  oursPm2: underPm2('ours-pm2', 'this worker under PM2', APP_FILE, 'cabe-arena-api'),
  clusterRaw: supervised('cluster-raw', 'node:cluster + node:http', ({ port, workers }) => ({
    args: [program('cluster.cjs')],
    env: { PORT: String(port), WORKERS: String(workers), PROGRAM: program('raw.cjs') },
  })),
  native: native('native', 'this worker under the native supervisor'),
  nativeWatching: native('native-watching', 'the same, with cron_restart and watch', {
    file: program('watching.config.cjs'),
  }),
} as const;

/** The native supervisor with each way in which connections can reach its workers. */
export const LISTENING = {
  roundRobin: native('rr', 'native, round robin', { env: { NODE_CLUSTER_SCHED_POLICY: 'rr' } }),
  none: native('none', "native, node:cluster's shared socket", {
    env: { NODE_CLUSTER_SCHED_POLICY: 'none' },
  }),
  shared: native('shared', 'native, shared socket', { env: { CABE_LISTENER: 'shared' } }),
  perSlot: native('per-slot', 'native, socket per slot', { env: { CABE_LISTENER: 'per-slot' } }),
} as const;

type LaunchOptions = Omit<Place, 'port' | 'workers'> & { readonly workers?: number };

/** Launches a contender on a free port and waits until all its workers answer. */
export async function launch(contender: Contender, options: LaunchOptions): Promise<Running> {
  const workers = options.workers ?? 1;
  const running = contender.launch({ ...options, workers, port: await freePort() });
  try {
    await answering(running.port, workers);
    await until(() => running.workers().length === workers, `${contender.label} has ${workers} workers`);
    const binary = executable(running.supervisor() ?? running.workers()[0] ?? 0);
    if (binary !== realpathSync(options.node)) throw new Error(`${contender.label} runs on ${binary}`);
    return running;
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** Launches a contender, uses it, and stops it in any case. */
export function withRunning<T>(
  contender: Contender,
  options: LaunchOptions,
  use: (running: Running) => Promise<T>,
): Promise<T> {
  return withLabel(contender, async () => {
    const running = await launch(contender, options);
    try {
      return await use(running);
    } finally {
      await running.stop();
    }
  });
}

/** Adds the label of the contender to an error. */
export async function withLabel<T>({ label }: Contender, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${label}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
