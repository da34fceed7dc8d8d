/** One worker from boot to exit; the same code path alone, under PM2 and under the native supervisor. */
import { setMaxListeners } from 'node:events';
import type { Server } from 'node:http';
import { FEATURES } from '../api.js';
import { createApp } from '../app.js';
import { ownConfig, valuesOrThrow, type Config } from '../config.js';
import { ServiceError } from '../errors.js';
import type { Feature } from '../features/feature.js';
import { closeAll, createResources, type CloseHook, type Resources } from '../features/resources.js';
import { closeTerminalsAtExit } from '../platform/terminal.js';
import { whenWritten } from '../platform/stdout.js';
import { EXIT } from '../protocol/exit-codes.js';
import { LISTENER_OFFER, WARM_UP } from '../protocol/messages.js';
import { detectSupervisor, type SupervisedBy } from '../protocol/supervised-by.js';
import { prepareObserver, type Observed } from '../observability/observer.js';
import { createAdmission } from '../overload/admission.js';
import type { Readiness } from '../routes/health.js';
import { errorLine, errorRecord, rejected } from '../logging/loggable.js';
import { logger } from '../utils/logger.js';
import { runOutsideRequests } from '../utils/request-context.js';
import { createChannel, type Channel } from './channel.js';
import { drainable, type Drainable } from './drain.js';
import { sendHeartbeatsOnRequest } from './heartbeat.js';
import { listen, urlOf, type Listening } from './listen.js';
import { receiveOrders } from './orders.js';
import { createServer } from './server.js';
import { startShutdown, type Shutdown, type ShutdownNeeds } from './shutdown.js';
import { BOOTING, readinessOf, transition, type WorkerEffect, type WorkerEvent } from './state.js';
import { showTitle } from './title.js';
import { attachUpgrades, upgradeOptions, upgradesOf } from './upgrades.js';
import { reportUsageOnRequest } from './usage.js';

/** How long a supervisor that does not read may delay the exit of a failed boot. */
const REPORT_MS = 1_000;

export interface WorkerOptions {
  readonly features?: readonly Feature[];
  /** What an entry that starts something itself (an agent) closes after the drain, before the resources. */
  readonly closeHooks?: readonly CloseHook['close'][];
}

/** The build starts a worker once to fill the compile cache, and must not open databases (`scripts/warm-up.config.cjs`). */
const ownFeatures = (): readonly Feature[] =>
  process.env[WARM_UP] === '1' || !ownConfig().values.features ? [] : FEATURES;

/** What a worker has from its first line on. */
interface Base {
  readonly supervisedBy: SupervisedBy;
  readonly channel: Channel;
  readonly resources: Resources;
  /** Aborted when the drain begins. */
  readonly draining: AbortController;
  readonly closeHooks: readonly CloseHook[];
  readonly closeTimeoutMs: number;
}

/** What a serving worker consists of. */
interface Service {
  readonly config: Config;
  readonly server: Server;
  readonly connections: Drainable;
  readonly listening: Listening;
  readonly observed: Observed;
}

type ShutdownTimes = Pick<ShutdownNeeds, 'delayMs' | 'timeoutMs'>;

/** Runs until the process exits: everything that happens becomes an event of the state machine in `state.ts`. */
export async function runWorker(options: WorkerOptions = {}): Promise<void> {
  const base = createBase(options);
  let state = BOOTING;
  let service: Service | undefined;
  let shutdown: Shutdown | undefined;

  receiveOrders({
    ...base,
    environment: () => service?.config.nodeEnv ?? 'production',
    handleOrder: (order, source, cause) => handle({ type: 'order', order, source, cause }),
  });
  const fail = (error: unknown): void => handle({ type: 'failure', error });
  process.on('uncaughtException', fail).on('unhandledRejection', reason => fail(rejected(reason)));
  closeTerminalsAtExit();
  showTitle(state.phase);

  try {
    service = await boot(base, options.features ?? ownFeatures(), () => readinessOf(state));
    const { drainDelayMs, drainTimeoutMs } = service.config;
    handle({ type: 'started', drainDelayMs, drainTimeoutMs });
  } catch (error) {
    fail(error);
  }

  function handle(event: WorkerEvent): void {
    const { phase } = state;
    const { state: next, effects } = transition(state, event, base.supervisedBy);
    state = next;
    if (state.phase !== phase) showTitle(state.phase);
    service?.observed.state(state);
    for (const effect of effects) perform(effect);
  }

  function perform(effect: WorkerEffect): void {
    switch (effect.type) {
      case 'serve':
        return service && serve(service, base);
      case 'log.drain':
        return logger.info(`Worker ${process.pid} draining (${effect.cause})`);
      case 'log.failure':
        return logFailure(`Worker ${process.pid} failed`, effect.error);
      case 'report.draining':
        return reportDraining(effect, base);
      case 'drain':
        // A request whose handler has failed is only its cause.
        return runOutsideRequests(() => service && startDrain(service, effect));
      case 'drain.hurry':
        return runOutsideRequests(() => shutdown?.hurry(effect.timeoutMs));
      case 'fail':
        return void failBoot(effect.error, base);
      case 'exit':
        return exit(effect.code);
    }
  }

  function startDrain(serving: Service, times: ShutdownTimes): void {
    shutdown = shutDown(serving, base, times);
    void shutdown.done.then(isClean => handle({ type: 'drained', isClean }));
  }
}

function createBase({ closeHooks = [] }: WorkerOptions): Base {
  const { values: config } = ownConfig();
  const draining = new AbortController();
  // One for each long answer is no leak.
  setMaxListeners(0, draining.signal);
  return {
    supervisedBy: detectSupervisor(),
    channel: createChannel(),
    resources: createResources(config, logger),
    draining,
    closeHooks: closeHooks.map(close => ({ name: 'a close hook', close })),
    closeTimeoutMs: config.closeTimeoutMs,
  };
}

/**
 * Everything up to the first connection that is accepted.
 * @throws ServiceError where the cause of the failure is known
 */
async function boot(
  { supervisedBy, channel, resources, draining }: Base,
  features: readonly Feature[],
  readiness: () => Readiness,
): Promise<Service> {
  const config = valuesOrThrow(ownConfig());
  logger.info(`Worker ${process.pid} starting`);
  const observed = prepareObserver({ config, supervisedBy, logger, channel });
  await resources.open(features);
  const { use, check } = resources;
  const admission = createAdmission({ config, logger, onRefusal: observed.refused });
  const context = { config, logger, use, draining: draining.signal };
  const app = createApp({
    ...context,
    readiness,
    check,
    features,
    recorder: observed.recorder,
    admit: admission?.handler,
  });
  const upgrades = upgradesOf(features, context);
  const server = createServer(app, config, upgradeOptions(upgrades));
  admission?.watch(server);
  observed.countConnections(server);
  const connections = drainable(server);
  attachUpgrades(server, upgrades, context, admission?.refusesUpgrade);
  const listening = await listen(server, config, isSocketOffered(supervisedBy) ? channel : undefined);
  return { config, server, connections, listening, observed };
}

/** A variable alone proves nothing: children of a worker inherit it. */
const isSocketOffered = (supervisedBy: SupervisedBy): boolean =>
  supervisedBy === 'native' && process.env[LISTENER_OFFER] === '1' && process.connected;

/** The last step of the boot: the service is announced. */
function serve({ config, server, observed }: Service, { supervisedBy, channel }: Base): void {
  logger.info(`Worker ${process.pid} HTTP server started successfully`);
  logger.info(`Listening on ${urlOf(config, server)}`);
  if (supervisedBy === 'native') {
    sendHeartbeatsOnRequest(server, channel);
    reportUsageOnRequest(channel);
  }
  channel.send('ready');
  observed.start();
}

const reportDraining = (
  { code, reason }: Extract<WorkerEffect, { type: 'report.draining' }>,
  { channel }: Base,
): void => channel.send({ type: 'cabe:draining', code, reason: errorLine(reason) });

/** Drains the connections, then closes what was opened at the start. */
const shutDown = (
  { connections, listening }: Service,
  { draining, closeHooks, resources, closeTimeoutMs }: Base,
  times: ShutdownTimes,
): Shutdown =>
  startShutdown({
    connections,
    listening,
    onDrain: () => draining.abort(),
    closeHooks: [...closeHooks, ...resources.closeHooks],
    closeTimeoutMs,
    logger,
    ...times,
  });

/** One line and an exit code: a process that lives and serves nothing would look healthy. */
async function failBoot(error: unknown, { channel, resources, closeTimeoutMs }: Base): Promise<void> {
  const isNamed = error instanceof ServiceError;
  const message = isNamed ? error.message : errorLine(error);
  if (!isNamed) logFailure(`Worker ${process.pid} could not start`, error);
  else if (error.cause === undefined) logger.fatal(message);
  else logger.fatal({ err: errorRecord(error.cause) }, message);
  const code = isNamed ? error.exitCode : EXIT.internal;
  await new Promise<void>(resolve => {
    setTimeout(resolve, REPORT_MS);
    channel.send({ type: 'cabe:boot-failed', code, message }, resolve);
  });
  await closeAll(resources.closeHooks, closeTimeoutMs, logger);
  exit(code);
}

/** What was thrown stands in the message, too: `pm2 logs` and many viewers show nothing else. */
const logFailure = (what: string, error: unknown): void =>
  logger.fatal({ err: errorRecord(error) }, `${what}: ${errorLine(error)}`);

/** Exits once the log is written. */
function exit(code: number): void {
  whenWritten(() => process.exit(code));
}
