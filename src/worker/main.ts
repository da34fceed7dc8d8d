/** One worker from boot to exit; the same code path alone, under PM2 and under the native supervisor. */
import { createApp } from '../app.js';
import { readConfig, type Config } from '../config.js';
import { EXIT } from '../protocol/exit-codes.js';
import { ServiceError } from '../errors.js';
import { outliveTerminal } from '../platform/terminal.js';
import { whenWritten } from '../platform/stdout.js';
import type { FromWorker } from '../protocol/messages.js';
import { supervisedBy } from '../protocol/supervised-by.js';
import { logger } from '../utils/logger.js';
import { drainable, type Drainable } from './drain.js';
import { showPulseWhenAsked } from './heartbeat.js';
import { listen, type Listening } from './listen.js';
import { takeOrders } from './orders.js';
import { createServer } from './server.js';
import { shutDown, type CloseHook, type Shutdown } from './shutdown.js';
import { next, readinessOf, type WorkerAction, type WorkerEvent, type WorkerState } from './state.js';
import { showTitle } from './title.js';
import { tellUsageWhenAsked } from './usage.js';

/** After an uncaught error, requests in flight get so long: the process is not to be trusted any longer. */
const CRASH_DRAIN_MS = 2_000;

export interface WorkerOptions {
  readonly closeHooks?: readonly CloseHook[];
}

/** What a serving worker consists of. */
interface Service {
  readonly config: Config;
  readonly connections: Drainable;
  readonly listening: Listening;
}

/** Performs what the state machine (`state.ts`) decides. Settles when the worker serves, or has failed to boot. */
export async function runWorker({ closeHooks = [] }: WorkerOptions = {}): Promise<void> {
  const supervisor = supervisedBy();
  let state: WorkerState = { at: 'booting' };
  let service: Service | undefined;
  let shutdown: Shutdown | undefined;

  function handle(event: WorkerEvent): void {
    const [after, actions] = next(state, event, supervisor);
    state = after;
    for (const action of actions) perform(action);
  }

  function perform(action: WorkerAction): void {
    switch (action.type) {
      case 'log-draining':
        return logger.info(`Worker ${process.pid} draining (${action.reason})`);
      case 'log-crash':
        return logger.fatal({ err: action.error }, `Worker ${process.pid} failed`);
      case 'announce-draining':
        return announceDraining(action.code);
      case 'drain':
        return drain(action);
      case 'hurry':
        return shutdown?.hurry(CRASH_DRAIN_MS);
      case 'report-boot-failure':
        return void reportBootFailure(action.error);
      case 'exit':
        return exit(action.code);
    }
  }

  function drain({ delayed, limit }: Extract<WorkerAction, { type: 'drain' }>): void {
    if (service === undefined) return; // the state machine drains only what serves
    const { config, connections, listening } = service;
    showTitle('draining');
    shutdown = shutDown({
      connections,
      listening,
      closeHooks,
      logger,
      delayMs: delayed ? config.drainDelayMs : 0,
      timeoutMs: limit === 'crash' ? CRASH_DRAIN_MS : config.drainTimeoutMs,
    });
    void shutdown.done.then(isClean => handle({ type: 'drained', isClean }));
  }

  takeOrders(
    supervisor,
    () => service?.config.nodeEnv ?? 'production',
    (order, source, reason) => handle({ type: 'order', order, source, reason }),
  );
  const crashed = (error: unknown): void => handle({ type: 'crashed', error });
  process.on('uncaughtException', crashed).on('unhandledRejection', crashed);
  outliveTerminal();
  showTitle('starting');
  try {
    service = await boot(() => readinessOf(state));
    handle({ type: 'booted' });
    if (readinessOf(state) !== 'ready') return; // an uncaught error came first
    showTitle('ready');
    logger.info(`Worker ${process.pid} HTTP server started successfully`);
    process.send?.('ready' satisfies FromWorker);
  } catch (error) {
    handle({ type: 'boot-failed', error });
  }
}

/** Environment → app → listening server. */
async function boot(readiness: Parameters<typeof createApp>[0]['readiness']): Promise<Service> {
  const config = readConfig(process.env);
  logger.info(`Worker ${process.pid} starting`);
  const server = createServer(createApp({ config, logger, readiness }), config);
  const connections = drainable(server);
  const listening = await listen(server, config);
  if (supervisedBy() === 'native') {
    showPulseWhenAsked(server);
    tellUsageWhenAsked();
  }
  return { config, connections, listening };
}

function announceDraining(code: number): void {
  if (process.connected) process.send?.({ type: 'leaving', code } satisfies FromWorker);
}

/** One line and an exit code, never a process that lives and serves nothing. */
async function reportBootFailure(error: unknown): Promise<void> {
  const code = error instanceof ServiceError ? error.exitCode : EXIT.internal;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ServiceError) logger.fatal(message);
  else logger.fatal({ err: error }, `Worker ${process.pid} could not start: ${message}`);
  await new Promise<void>(resolve => {
    if (process.send === undefined || !process.connected) return resolve();
    process.send({ type: 'boot-failed', code, message } satisfies FromWorker, undefined, undefined, () =>
      resolve(),
    );
  });
  exit(code);
}

/** Exits once the log has every line. */
function exit(code: number): void {
  whenWritten(() => process.exit(code));
}
