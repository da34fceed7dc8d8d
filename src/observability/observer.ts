/**
 * The main thread's side of the observer thread, which watches the worker from outside and answers for it while it is
 * blocked. The thread starts when the worker serves already, and nothing that happens to it touches the service.
 */
import type { Server } from 'node:http';
import inspector from 'node:inspector';
import { hostname } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import type { Config } from '../config.js';
import { diagnosticsFolder } from '../diagnostics/folder.js';
import { takeTasks } from '../diagnostics/main-thread.js';
import { offerActions } from '../diagnostics/pm2-actions.js';
import { KILL_MARGIN_MS } from '../protocol/limits.js';
import { CONTROL_SOCKET, SERVICE, SLOT } from '../protocol/messages.js';
import type { RefusalReason } from '../overload/admission.js';
import type { SupervisedBy } from '../protocol/supervised-by.js';
import { errorRecord } from '../logging/loggable.js';
import { copyLogLines, type LogBatch } from '../platform/log-copy.js';
import type { Logger } from '../utils/logger.js';
import type { Channel } from '../worker/channel.js';
import type { WorkerState } from '../worker/state.js';
import { createLoopMemory, machineMs, noteLoop, type LoopStats } from './loop-stats.js';
import { tellPm2 } from './pm2-metrics.js';
import { NAME } from '../version.js';
import { createRecent } from './recent.js';
import { createRecorder, type Recorder } from './recorder.js';
import { countRequests, createStatsMemory, type Series } from './request-stats.js';
import { leaveServiceFolder, serviceFolder, socketOf } from './service-folder.js';
import { answerPing, createSharedState, noteInFlight, viewSharedState } from './shared-state.js';
import type { ServiceIdentity } from './snapshot.js';
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
  /** `undefined` if nothing can ask for them. */
  readonly figures: FiguresData | undefined;
  /** Nothing without MANAGEMENT_PORT. */
  readonly management: ManagementData | undefined;
  readonly diagnostics: {
    /** Where its files go. */
    readonly folder: string;
    /** To the main thread. */
    readonly port: MessagePort;
  };
}

export interface ManagementData {
  readonly port: number;
  readonly host: string;
  readonly app: string;
  /** MANAGEMENT_TOKEN; without it the page gives no orders. */
  readonly token: string | undefined;
  /** Where the files of the live page are. */
  readonly pageFolder: string;
}

export interface FiguresData {
  readonly service: ServiceIdentity;
  readonly folder: string;
  readonly slot: number;
  readonly loop: SharedArrayBuffer;
  readonly stats: SharedArrayBuffer;
  /** The series so far; later ones come as messages. */
  readonly series: readonly Series[];
}

/** What the thread is sent: a request ends its rest, a new series, lines of the log. */
export type ToThread = 'wake' | Series | LogBatch;

/** What the thread sends: a ping, whether anyone follows the log. */
export type FromThread = Ping | 'follow log' | 'leave log';

/** A sign of life is asked for: its number, and when, by {@link machineMs}. */
export type Ping = readonly [number: number, sentAt: number];

export interface ObserverNeeds {
  readonly config: Config;
  readonly supervisedBy: SupervisedBy;
  readonly logger: Logger;
  readonly channel: Channel;
}

/** What a worker does for its observer thread. */
export interface Observed {
  /** Where it notes its requests. */
  readonly recorder: Recorder | undefined;
  /** Counts the open connections of its server. */
  countConnections(server: Server): void;
  /** A request or a connection was not handled. */
  refused(reason: RefusalReason): void;
  /** Its state has changed. */
  state(state: WorkerState): void;
  /** Once it serves. */
  start(): void;
}

/** What a thread takes at most; it needs a fraction, and more only to read a source map. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

const UNOBSERVED: Observed = {
  recorder: undefined,
  countConnections: () => undefined,
  refused: () => undefined,
  state: () => undefined,
  start: () => undefined,
};

/** Nothing is prepared where the thread is switched off, or would have nothing to do. */
export function prepareObserver(needs: ObserverNeeds): Observed {
  const { config, supervisedBy } = needs;
  const isWanted =
    watchdogTimeout(config) > 0 || supervisedBy !== 'none' || config.managementPort !== undefined;
  if (!config.observer || !isWanted) return UNOBSERVED;
  let thread: Worker | undefined;
  const send = (message: ToThread): void => thread?.postMessage(message);
  const figures = prepareFigures(needs, send);
  const memory = createSharedState();
  const inFlight = noteInFlight(memory, () => send('wake'));
  return {
    ...UNOBSERVED,
    ...figures?.observed,
    recorder: createRecorder(inFlight, figures?.count),
    start() {
      const data = dataFor(needs, memory, figures?.data);
      thread = startThread(needs, data, figures?.loop, reportTo(needs, data));
      if (supervisedBy === 'pm2' && figures !== undefined)
        offerActions(socketOf(figures.data.folder, figures.data.slot, process.pid));
    },
  };
}

const watchdogTimeout = ({ watchdogTimeoutMs, nodeEnv }: Config): number =>
  watchdogTimeoutMs ?? (nodeEnv === 'production' ? WATCHDOG_TIMEOUT_MS : 0);

interface Figures {
  readonly data: FiguresData;
  readonly loop: LoopStats;
  readonly count: ReturnType<typeof countRequests>;
  readonly observed: Pick<Observed, 'countConnections' | 'refused' | 'state'>;
}

/** A worker alone is asked by the management port only. */
function prepareFigures(
  { config, supervisedBy }: ObserverNeeds,
  onSeries: (series: Series) => void,
): Figures | undefined {
  if (config.managementPort === undefined && supervisedBy === 'none') return undefined;
  const slot = slotUnder(supervisedBy);
  const folder = serviceFolder(serviceUnder(supervisedBy), config.port);
  const [loopMemory, stats] = [createLoopMemory(), createStatsMemory()];
  const loop = noteLoop(loopMemory);
  const count = countRequests(stats, onSeries);
  let isOrdered = supervisedBy === 'none';
  let isStopping = supervisedBy === 'none';
  process.on('exit', () => {
    if (isOrdered) leaveServiceFolder(folder, slot, process.pid, isStopping);
  });
  return {
    data: {
      service: identify(supervisedBy),
      folder,
      slot,
      loop: loopMemory,
      stats,
      series: count.series,
    },
    loop,
    count,
    observed: {
      countConnections: server =>
        void server.on('connection', socket => {
          loop.connection(1);
          socket.once('close', () => loop.connection(-1));
        }),
      refused: loop.refused,
      state(state) {
        loop.phase(state.phase);
        if (state.phase !== 'draining') return;
        isOrdered ||= state.reason !== 'failure';
        isStopping ||= state.reason === 'stop' || state.reason === 'orphaned';
      },
    },
  };
}

/** A supervisor of an older version gives its workers no number. */
function serviceUnder(supervisedBy: SupervisedBy): number {
  if (supervisedBy === 'none') return process.pid;
  return Number((supervisedBy === 'native' ? process.env[SERVICE] : undefined) ?? process.ppid);
}

/** PM2 numbers its workers itself; CABE_SLOT is then a leftover of another service's shell. */
function slotUnder(supervisedBy: SupervisedBy): number {
  const { env } = process;
  return Number(
    (supervisedBy === 'native' ? env[SLOT] : env[env['instance_var'] ?? 'NODE_APP_INSTANCE']) ?? 0,
  );
}

function identify(supervisedBy: SupervisedBy): ServiceIdentity {
  const { name, restart_time: restarts, pm_exec_path: script } = process.env;
  const isPm2 = supervisedBy === 'pm2';
  return {
    supervisedBy,
    name: isPm2 ? name : undefined,
    script: (isPm2 ? script : process.argv[1]) ?? '',
    node: process.version,
    restarts: isPm2 && restarts !== undefined ? Number(restarts) : undefined,
  };
}

/** Called whenever the loop has turned: only PM2 gets figures without asking for them. */
function reportTo({ supervisedBy, channel }: ObserverNeeds, { memory, figures }: ObserverData): () => void {
  if (supervisedBy !== 'pm2' || figures === undefined) return () => undefined;
  return tellPm2({
    loop: figures.loop,
    recent: createRecent(figures),
    inFlight: viewSharedState(memory).inFlight,
    send: message => channel.send(message),
  });
}

function startThread(
  { logger }: ObserverNeeds,
  workerData: ObserverData,
  loop: LoopStats | undefined,
  turned: () => void,
): Worker {
  const file = threadFile();
  // The sources need a loader, which the options of this process name; the build needs nothing, agents least of all.
  const options = extname(file) === '.ts' ? {} : { execArgv: [], env: {} };
  const answer = (ping: number): void => answerPing(workerData.memory, ping, inspector.url() !== undefined);
  // The loop may block before it gets the first ping: a debugger that is there already is known from the start.
  answer(0);
  const thread = new Worker(file, {
    ...options,
    workerData,
    transferList: [workerData.diagnostics.port],
    resourceLimits: RESOURCE_LIMITS,
  });
  thread
    .on('message', (message: FromThread) => {
      if (message === 'leave log') return copyLogLines(undefined);
      if (message === 'follow log') return copyLogLines(batch => thread.postMessage(batch));
      const [number, sentAt] = message;
      loop?.sample(sentAt);
      answer(number);
      turned();
    })
    .on('error', error =>
      logger.warn(
        { err: errorRecord(error) },
        `Worker ${process.pid} is not watched: its observer thread failed`,
      ),
    )
    .unref();
  return thread;
}

function dataFor(
  { config, supervisedBy, logger }: ObserverNeeds,
  memory: SharedArrayBuffer,
  figures: FiguresData | undefined,
): ObserverData {
  const { nodeEnv, drainTimeoutMs, closeTimeoutMs } = config;
  const { port1, port2 } = new MessageChannel();
  takeTasks(port1);
  return {
    memory,
    figures,
    diagnostics: { folder: diagnosticsFolder(config.diagnosticsDir), port: port2 },
    management: managementData(config, figures?.service.name ?? NAME),
    watchdogTimeoutMs: watchdogTimeout(config),
    orphanTimeoutMs: supervisedBy === 'none' ? undefined : drainTimeoutMs + closeTimeoutMs + KILL_MARGIN_MS,
    controlSocket: supervisedBy === 'native' ? process.env[CONTROL_SOCKET] : undefined,
    clocks: { main: performance.now(), machine: machineMs() },
    log: {
      fields: JSON.stringify({ pid: process.pid, hostname: hostname(), env: nodeEnv }).slice(1, -1),
      level: logger.levels.values[logger.level] ?? Infinity,
      isReadable: nodeEnv === 'development',
      file: supervisedBy === 'pm2' ? process.env['pm_out_log_path'] : undefined,
    },
  };
}

function managementData(config: Config, app: string): ManagementData | undefined {
  const { managementPort: port, managementHost: host, managementToken: token } = config;
  return port === undefined ? undefined : { port, host, app, token, pageFolder: pageFolder() };
}

const isBundle = (): boolean => basename(dirname(__filename)) !== 'observability';

/** `yarn build` puts uPlot beside the page, in the sources it is missing. */
function pageFolder(): string {
  return isBundle() ? join(__dirname, 'live', 'page') : join(__dirname, '..', '..', 'dist', 'live', 'page');
}

/** Beside this file, in the sources and in the modules of the build; a bundle of its own beside the worker's bundle. */
function threadFile(): string {
  return isBundle() ? join(__dirname, 'observer.bundle.js') : join(__dirname, `thread${extname(__filename)}`);
}
