/** The `start` command: puts the supervisor together, runs it, and lets the process end with the service. */
import { basename, dirname } from 'node:path';
import { errors, ServiceError } from '../errors.js';
import { errorLine, rejected } from '../logging/loggable.js';
import { fileFailureText, temporaryFolderCure, unableToListen } from '../platform/system-errors.js';
import { EXIT } from '../protocol/exit-codes.js';
import { lookedUp } from '../protocol/address.js';
import { closeTerminalsAtExit } from '../platform/terminal.js';
import { VERSION } from '../version.js';
import { portOwner } from '../platform/port-owner.js';
import { createHeartbeatRecords, type HeartbeatRecords } from '../protocol/heartbeat-records.js';
import { createClock, type Clock } from './clock.js';
import { createFront, type Front } from './control/front.js';
import type { Controlled } from './control/server.js';
import type { App } from './app-file/load.js';
import { isWorkerFault } from './processes/fault-context.js';
import { createListener, type Listener } from './processes/listener.js';
import { canReusePort } from './processes/tcp-handles.js';
import { createLog, type Log } from './report/log.js';
import { createMemoryWatch, type MemoryWatch } from './triggers/memory.js';
import { createOomWatch, type OomWatch } from '../platform/memory.js';
import { readAppFile, type AppFile } from './app-file/read.js';
import { logSettingsOf, resolveService, type Reading, type ReadingRequest } from './app-file/service.js';
import { translateSignals } from './triggers/signals.js';
import { createSupervisor, type Supervisor } from './supervisor.js';
import { figuresOf } from './report/figures.js';
import type { Status } from './report/status.js';
import { failedBecause, type ActionOutcome } from './action.js';
import { createServiceManager } from './report/systemd.js';
import { showTitle } from './report/title.js';
import { createTriggers, type Triggers } from './triggers/triggers.js';
import { UPGRADE_RUNS } from './report/wording.js';
import { socketCount, type Handover } from './upgrade/handover.js';
import { launchOf } from './upgrade/launch.js';
import { findPredecessor, type Predecessor } from './upgrade/predecessor.js';
import { proved } from './upgrade/proof.js';
import { standingOf } from './upgrade/standing.js';
import { createUpgrades, type Upgrades } from './upgrade/upgrades.js';
import { askWorkers } from '../observability/ask-workers.js';
import { newServiceNumber, removeServiceFolders } from '../observability/service-folder.js';
import { createUsageMeter, createUsageSource, type UsageSource } from '../platform/process-usage.js';

/** How often to check what no event reports: memory, and whether the control socket is still there. */
const LOOK_MS = 5_000;

export interface StartRequest extends ReadingRequest {
  /** Reload when the folder of the program changes, even if the app file has no `watch`. */
  readonly watch: boolean;
  /** The working directory, by the name under which it was entered. */
  readonly cwd: string;
}

/** Runs the service until it ends; the process then exits with the code of its verdict, or of what kept it from it. */
export async function supervise(request: StartRequest, file: Promise<AppFile>): Promise<void> {
  const beginning = { firstParent: process.ppid, predecessor: findPredecessor() };
  const found = await file;
  const { nodeEnv: env, logLevel: level } = logSettingsOf(found, request);
  try {
    await run(request, found, createLog({ env, level }), beginning);
  } catch (error) {
    // Whatever LOG_LEVEL says: a service that does not start has nothing else to say.
    const log = createLog({ env, level: 'info' });
    if (!(error instanceof ServiceError)) return guard(log)(error);
    warn(error, log);
    log({ level: 'fatal', msg: error.message });
    await beginning.predecessor?.failed(error.message);
    process.exit(error.exitCode);
  }
}

/** What is known of this process from its first moment on. */
interface Beginning {
  /** Pid of the parent at the start. */
  readonly firstParent: number;
  readonly predecessor: Predecessor | undefined;
}

async function run(request: StartRequest, file: AppFile, log: Log, beginning: Beginning): Promise<void> {
  const { predecessor } = beginning;
  const serviceManager = createServiceManager({
    env: process.env,
    log,
    isInCharge: () => front.isInCharge,
  });
  passOn(file, log);
  const reading = resolveService(file, request);
  const die = guard(log);
  closeTerminalsAtExit();
  const reload = (): void => upgrades.unlessUpgraded(() => void service.supervisor.reload());
  const service = assemble({ request, reading, log, die, reload, predecessor });
  const { supervisor, listener, ending } = service;
  const front = createFront({
    runDirectory: reading.runDirectory,
    controlled: controlledOf(service, reading, () => upgrades),
    serviceManager,
    log,
  });
  const upgrades = createUpgrades({
    ...service,
    front,
    launch: launchOf(request.cwd),
    envName: request.envName,
    standing: () => standingOf(beginning.firstParent, serviceManager.isPresent),
    log,
    ended: ending.promise,
  });
  if (predecessor === undefined) await front.open();
  warn(reading, log);
  await reserve(listener, reading).catch(async (error: unknown) => {
    await front.close();
    throw error;
  });
  follow({ ...service, front, reload, request, reading, log });
  log({ level: 'info', msg: `Master process ${process.pid} is running` });
  const { wanted } = supervisor.pool;
  const why = wanted === reading.instances ? reading.why : 'set by scale';
  log({ level: 'info', msg: `Forking ${wanted} workers (${why})` });
  supervisor.start();
  const failure = predecessor && (await succeed(predecessor, { ...service, front }));

  const code = await ending.promise;
  await upgrades.cancel();
  await front.close();
  if (front.isInCharge) removeServiceFolders(service.service);
  process.exit(failure === undefined ? code : code || EXIT.internal);
}

/** The parts of a running service. */
interface Service {
  readonly supervisor: Supervisor;
  readonly listener: Listener;
  readonly triggers: Triggers;
  readonly memory: MemoryWatch;
  readonly oomWatch: OomWatch;
  readonly usageSource: UsageSource;
  readonly clock: Clock;
  readonly ending: Ending;
  /** The number of the service. */
  readonly service: number;
}

interface ServiceParts {
  readonly request: StartRequest;
  readonly reading: Reading;
  readonly log: Log;
  readonly predecessor: Predecessor | undefined;
  readonly die: (error: unknown) => void;
  readonly reload: () => void;
}

function assemble({ request, reading, log, die, reload, predecessor }: ServiceParts): Service {
  const handover = predecessor?.handover;
  const usageSource = createUsageSource();
  const usage = createUsageMeter(undefined, usageSource.of);
  const memory = createMemoryWatch(usage, usageSource);
  const oomWatch = createOomWatch();
  const listener = createListener(handover && usable(handover));
  const service = handover?.service ?? newServiceNumber(process.pid);
  const ending = ended();
  const clock = createClock();
  const triggers = createTriggers(reload, log);
  const supervisor = createSupervisor(reading, {
    clock,
    listener,
    heartbeatRecords: openHeartbeatRecords(log),
    oomWatch,
    usage,
    usageSource,
    controlSocket: reading.runDirectory.socket,
    service,
    predecessor: handover && { ...handover, sockets: socketCount(handover) },
    log,
    ready: memory.noteReady,
    envName: request.envName,
    load: envName => readAgain({ ...request, envName }, triggers, log),
    failed: die,
    ended: ({ code }) => ending.resolve(code),
  });
  return { supervisor, listener, triggers, memory, oomWatch, usageSource, clock, ending, service };
}

/** The requests of the control socket. */
function controlledOf(
  { supervisor, ending, service }: Service,
  { app }: Reading,
  upgrades: () => Upgrades,
): Controlled {
  const unlessUpgrading = (act: () => Promise<ActionOutcome>): Promise<ActionOutcome> =>
    upgrades().isRunning ? Promise.resolve(failedBecause(UPGRADE_RUNS)) : act();
  return {
    identity: { app: app.name, file: app.file },
    status: () => withFigures(describe(supervisor, app), service),
    events: supervisor.events,
    reload: envName => unlessUpgrading(() => supervisor.reload(envName)),
    scale: instances => unlessUpgrading(() => supervisor.scale(instances)),
    hung: supervisor.hung,
    stop: () => stopped(supervisor, ending.promise),
    upgrade: () => upgrades().run(),
  };
}

interface Followed extends Service {
  readonly front: Front;
  readonly reload: () => void;
  readonly request: StartRequest;
  readonly reading: Reading;
  readonly log: Log;
}

/** Changes of the pool, signals and the clock, and what each leads to. */
function follow(followed: Followed): void {
  const { supervisor, triggers, memory, oomWatch, usageSource } = followed;
  const { front, reload, request, reading, log } = followed;
  supervisor.onChange(pool => {
    showTitle(pool, reading.app.name);
    front.follow(pool);
    triggers.follow(triggersOf(supervisor.app(), request));
  });
  translateSignals({
    development: reading.settings.nodeEnv === 'development',
    isStopping: () => supervisor.pool.verdict !== undefined,
    log,
    stop: how => supervisor.send({ type: 'stop', how }),
    reload,
  });
  setInterval(() => {
    front.ensure();
    if (usageSource.asks) askUsage(supervisor, usageSource);
    memory.look(supervisor);
    oomWatch.look();
  }, LOOK_MS);
}

/**
 * Takes the place of the predecessor once our workers have proved themselves.
 * @returns why that has failed: this service ends then
 */
async function succeed(
  predecessor: Predecessor,
  { supervisor, clock, front }: Service & { readonly front: Front },
): Promise<string | undefined> {
  const leave = (): void => supervisor.send({ type: 'stop', how: 'retire' });
  predecessor.onLost(leave);
  try {
    await proved(supervisor, clock);
    await predecessor.ready();
    await front.takeOver();
  } catch (error) {
    const reason = (error as Error).message;
    await predecessor.failed(reason);
    leave();
    return reason;
  }
  front.follow(supervisor.pool);
  await predecessor.taken();
  return undefined;
}

/** @throws ServiceError if this Node cannot go on with these sockets */
function usable(handover: Handover): Handover {
  if (handover.mode === 'per-slot' && !canReusePort(process.versions.node, process.platform))
    throw errors.socketsNotTaken(process.version);
  return handover;
}

/** For a reload. Nothing has changed when this rejects. */
async function readAgain(request: StartRequest, triggers: Triggers, log: Log): Promise<Reading> {
  const file = await readAppFile(request.file);
  passOn(file, log);
  const reading = resolveAgain(file, request, log);
  await triggers.tryOut(triggersOf(reading.app, request));
  return reading;
}

/** Where the system does not show the usage of another process, the workers are asked for theirs. */
function askUsage(supervisor: Supervisor, usage: UsageSource): void {
  usage.keep([...supervisor.processes()].map(({ pid }) => pid));
  supervisor.askUsage();
}

/** Without heartbeats the service runs, but hung workers are not reported and keep their sockets. */
function openHeartbeatRecords(log: Log): HeartbeatRecords | undefined {
  try {
    return createHeartbeatRecords();
  } catch (error) {
    const reasons = (error as AggregateError).errors.map(each => fileFailureText(each as Error)).join(', ');
    const msg = `Hung workers are not noticed: ${reasons}; ${temporaryFolderCure('/dev/shm')}`;
    log({ level: 'warn', msg });
    return undefined;
  }
}

/** What `--watch` watches goes before `watch` of the app file. */
const triggersOf = (app: App, { watch }: StartRequest): Pick<App, 'cronRestart' | 'watch'> => ({
  cronRestart: app.cronRestart,
  watch: watch
    ? { cwd: dirname(app.script), watch: ['.'], ignore: [], delayMs: 300, options: {} }
    : app.watch,
});

interface Ending {
  readonly promise: Promise<number>;
  readonly resolve: (code: number) => void;
}

function ended(): Ending {
  let resolve: Ending['resolve'] = () => undefined;
  const promise = new Promise<number>(settle => (resolve = settle));
  return { promise, resolve };
}

async function stopped(supervisor: Supervisor, ending: Promise<number>): Promise<ActionOutcome> {
  supervisor.send({ type: 'stop', how: 'drain' });
  const code = await ending;
  return code === EXIT.ok
    ? { ok: true, reason: null }
    : { ok: false, reason: `the service ended with code ${code}` };
}

function describe(supervisor: Supervisor, app: App): Status {
  const { pid, version: node } = process;
  const uptime = Math.round(process.uptime() * 1_000);
  const env = supervisor.envName ?? null;
  return {
    app: app.name,
    file: app.file,
    env,
    supervisor: { pid, uptime, version: VERSION, node },
    ...supervisor.status(),
  };
}

/** Workers that cannot be asked have no figures; the rest of the status does not wait for them for long. */
async function withFigures(status: Status, service: number): Promise<Status> {
  const asked = await askWorkers(service);
  const workers = status.workers.map(worker => {
    const { snapshot } = asked.find(({ pid }) => pid === worker.pid) ?? {};
    return snapshot === undefined ? worker : { ...worker, ...figuresOf(snapshot) };
  });
  return { ...status, workers };
}

/** Our own worker's port is bound before anything is forked, so that what stands against it is said once. */
async function reserve(listener: Listener, { config }: Reading): Promise<void> {
  if (config === undefined) return;
  try {
    listener.reserve(await lookedUp(config));
  } catch (error) {
    throw unableToListen(error as NodeJS.ErrnoException, config, portOwner);
  }
}

/** What the app file has printed. */
function passOn({ path, printed }: AppFile, log: Log): void {
  for (const { level, msg } of printed) log({ level, msg: `${basename(path)}: ${msg}` });
}

/** Warnings are logged even if the file has errors. */
function resolveAgain(file: AppFile, request: ReadingRequest, log: Log): Reading {
  try {
    const reading = resolveService(file, request);
    warn(reading, log);
    return reading;
  } catch (error) {
    if (error instanceof ServiceError) warn(error, log);
    throw error;
  }
}

function warn({ warnings }: Pick<Reading, 'warnings'>, log: Log): void {
  for (const msg of warnings) log({ level: 'warn', msg });
}

/** A supervisor that fails itself does not take its workers with it: they drain when they see it gone. */
function guard(log: Log): (error: unknown) => void {
  const die = (error: unknown): void => {
    log.failure(error, `Master process ${process.pid} failed: ${errorLine(error)}`);
    process.exit(EXIT.internal);
  };
  process
    .on('uncaughtException', error => {
      if (!isWorkerFault(error)) die(error);
    })
    .once('unhandledRejection', reason => die(rejected(reason)));
  return die;
}
