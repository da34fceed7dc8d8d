/**
 * Starts the observer thread of a worker, which watches the main loop from outside. It starts when the worker serves
 * already, and nothing that happens to it touches the service.
 */
import inspector from 'node:inspector';
import { hostname } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Config } from '../config.js';
import { KILL_MARGIN_MS } from '../protocol/limits.js';
import { CONTROL_SOCKET } from '../protocol/messages.js';
import type { SupervisedBy } from '../protocol/supervised-by.js';
import type { Logger } from '../utils/logger.js';
import { answerPing, createSharedState, noteInFlight, type InFlight } from './shared-state.js';
import type { ThreadLogTarget } from './thread-log.js';

/** After how long a blocked worker counts as hung in production, where nothing else is set, in ms. */
const WATCHDOG_TIMEOUT_MS = 60_000;

/** What the thread is given. */
export interface ObserverData {
  readonly memory: SharedArrayBuffer;
  /** When a blocked worker is killed, in ms; 0 = never. */
  readonly watchdogTimeoutMs: number;
  /** The same for one whose supervisor is gone; nothing where there is none. */
  readonly orphanTimeoutMs: number | undefined;
  /** Where the native supervisor takes reports. */
  readonly controlSocket: string | undefined;
  /** One moment on the main thread's `performance.now()` and on CLOCK_MONOTONIC, in ms. */
  readonly clocks: { readonly main: number; readonly machine: number };
  readonly log: ThreadLogTarget;
}

export interface ObserverNeeds {
  readonly config: Config;
  readonly supervisedBy: SupervisedBy;
  readonly logger: Logger;
}

/** What a worker does for its observer thread. */
export interface Observed {
  /** Where it notes its requests. */
  readonly inFlight: InFlight | undefined;
  /** Once it serves. */
  start(): void;
}

/** What a thread takes at most; it needs a fraction, and more only to read a source map. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

const watchdogTimeout = ({ watchdogTimeoutMs, nodeEnv }: Config): number =>
  watchdogTimeoutMs ?? (nodeEnv === 'production' ? WATCHDOG_TIMEOUT_MS : 0);

/** Nothing is prepared where the thread is switched off, or would have nothing to do. */
export function prepareObserver(needs: ObserverNeeds): Observed {
  const { config, supervisedBy } = needs;
  const isWanted = config.observer && (watchdogTimeout(config) > 0 || supervisedBy !== 'none');
  if (!isWanted) return { inFlight: undefined, start: () => undefined };
  const memory = createSharedState();
  let thread: Worker | undefined;
  return {
    inFlight: noteInFlight(memory, () => thread?.postMessage('wake')),
    start: () => void (thread = start(needs, memory)),
  };
}

function start(needs: ObserverNeeds, memory: SharedArrayBuffer): Worker {
  const file = threadFile();
  // The sources need a loader, which the options of this process name; the build needs nothing, agents least of all.
  const options = extname(file) === '.ts' ? {} : { execArgv: [], env: {} };
  const workerData = dataFor(needs, memory);
  const thread = new Worker(file, { ...options, workerData, resourceLimits: RESOURCE_LIMITS });
  thread
    .on('message', (ping: number) => answerPing(memory, ping, inspector.url() !== undefined))
    .on('error', error =>
      needs.logger.warn({ err: error }, `Worker ${process.pid} is not watched: its observer thread failed`),
    )
    .unref();
  return thread;
}

function dataFor({ config, supervisedBy, logger }: ObserverNeeds, memory: SharedArrayBuffer): ObserverData {
  const { nodeEnv, drainTimeoutMs } = config;
  return {
    memory,
    watchdogTimeoutMs: watchdogTimeout(config),
    orphanTimeoutMs: supervisedBy === 'none' ? undefined : drainTimeoutMs + KILL_MARGIN_MS,
    controlSocket: supervisedBy === 'native' ? process.env[CONTROL_SOCKET] : undefined,
    clocks: { main: performance.now(), machine: Number(process.hrtime.bigint()) / 1e6 },
    log: {
      fields: JSON.stringify({ pid: process.pid, hostname: hostname(), env: nodeEnv }).slice(1, -1),
      level: logger.levels.values[logger.level] ?? Infinity,
      isReadable: nodeEnv === 'development',
      file: supervisedBy === 'pm2' ? process.env['pm_out_log_path'] : undefined,
    },
  };
}

/** Beside this file, in the sources and in the modules of the build; a bundle of its own beside the worker's bundle. */
function threadFile(): string {
  return basename(dirname(__filename)) === 'observability'
    ? join(__dirname, `thread${extname(__filename)}`)
    : join(__dirname, 'observer.bundle.js');
}
