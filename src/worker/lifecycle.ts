/** One worker from boot to exit; the same code path alone, under PM2 and under the native supervisor. */
import cluster from 'node:cluster';
import { createApp } from '../app.js';
import { LAME_DUCK_MS, readConfig, type Config } from '../config.js';
import { EXIT, ServiceError } from '../errors.js';
import type { Readiness } from '../routes/health.js';
import type { FromWorker } from '../supervisor/messages.js';
import { createLogger, type Logger } from '../utils/logger.js';
import { whenWritten } from '../utils/output.js';
import { drainable, type Drainable } from './drain.js';
import { listen, type Listening } from './listen.js';
import { showPulseWhenAsked } from './pulse.js';
import { takeOrders, whoIsInCharge, type Order } from './orders.js';
import { createServer } from './server.js';
import { showTitle } from './title.js';

/** After a failure nobody expected, requests in flight get this long; the process is not to be trusted any longer. */
const CRASH_DRAIN_MS = 2_000;

/** How long the cluster's primary may take to confirm that it holds no connection of ours any more. */
const FAREWELL_MS = 1_000;

/** Something to be closed when all requests are answered: a pool, a queue. It may take until the deadline. */
export type CloseHook = (deadline: AbortSignal) => Promise<void>;

export interface WorkerOptions {
  readonly closeHooks?: readonly CloseHook[];
}

/** What a worker that serves consists of. */
interface Service {
  readonly config: Config;
  readonly logger: Logger;
  readonly connections: Drainable;
  readonly listening: Listening;
}

export async function runWorker({ closeHooks = [] }: WorkerOptions = {}): Promise<void> {
  const charge = whoIsInCharge();
  let readiness: Readiness = 'starting';
  let service: Service | undefined;
  let leaving = false;
  let logger = createLogger({ env: 'production' });

  takeOrders(charge, () => service?.config.nodeEnv ?? 'production', obey);
  process.on('uncaughtException', crash).on('unhandledRejection', crash);
  showTitle('starting');

  try {
    const config = readConfig(process.env);
    logger = createLogger({ env: config.nodeEnv, level: config.logLevel });
    logger.info(`Worker ${process.pid} starting`);
    const server = createServer(createApp({ config, logger, readiness: () => readiness }), config);
    const connections = drainable(server);
    const listening = await listen(server, config);
    service = { config, logger, connections, listening };
    readiness = 'ready';
    showTitle('ready');
    logger.info(`Worker ${process.pid} HTTP server started successfully`);
    if (charge === 'native') showPulseWhenAsked(server);
    process.send?.('ready' satisfies FromWorker);
  } catch (error) {
    await bootFailed(error, logger);
  }

  function obey(order: Order, why: string): void {
    if (leaving && charge !== 'nobody') return; // escalation is the supervisor's SIGKILL
    if (leaving) return exit(EXIT.internal);
    if (service === undefined || order === 'now') return exit(EXIT.ok);
    leaving = true;
    logger.info(`Worker ${process.pid} draining (${why})`);
    void leave(
      service,
      order === 'stop' ? service.config.drainDelayMs : 0,
      service.config.drainTimeoutMs,
      order,
    ).then(exit);
  }

  /** A worker after an unforeseen failure answers what it has begun, and ends; its supervisor replaces it. */
  function crash(error: unknown): void {
    if (service === undefined) return void bootFailed(error, logger);
    logger.fatal({ err: error }, `Worker ${process.pid} failed`);
    if (leaving) return exit(EXIT.internal);
    leaving = true;
    void leave(service, 0, CRASH_DRAIN_MS, 'now').then(() => exit(EXIT.internal));
  }

  /** @returns the exit code: 1 if something had to be cut */
  async function leave(
    { connections, listening }: Service,
    delayMs: number,
    timeoutMs: number,
    order: Order,
  ): Promise<number> {
    showTitle('draining');
    if (order === 'stop') readiness = 'stopping';
    if (delayMs > 0) await pause(delayMs);
    const deadline = AbortSignal.timeout(timeoutMs);
    listening.stop();
    const cuts = await connections.drain({ lameDuckMs: Math.min(LAME_DUCK_MS, timeoutMs), timeoutMs });
    for (const { method, url } of cuts) logger.error(`Cut at the drain deadline: ${method} ${url}`);
    const failed = await runHooks(closeHooks, deadline, logger);
    await sayFarewell();
    return cuts.length > 0 || failed ? EXIT.internal : EXIT.ok;
  }
}

/** One line and an exit code, never a process that lives and serves nothing. */
async function bootFailed(error: unknown, logger: Logger): Promise<void> {
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

/** @returns whether a hook failed or was not done at the deadline */
async function runHooks(
  hooks: readonly CloseHook[],
  deadline: AbortSignal,
  logger: Logger,
): Promise<boolean> {
  const overdue = new Promise<never>((_resolve, reject) => {
    deadline.addEventListener('abort', () => reject(new Error('not done at the drain deadline')), {
      once: true,
    });
  });
  const results = await Promise.allSettled(hooks.map(hook => Promise.race([hook(deadline), overdue])));
  const failures = results.filter(result => result.status === 'rejected');
  for (const { reason } of failures) logger.error({ err: reason as unknown }, 'A close hook failed');
  return failures.length > 0;
}

/**
 * node:cluster's round robin may just have handed a connection to us: the primary confirms that it has not, or
 * gives it to somebody else. Without this its client would hang.
 */
async function sayFarewell(): Promise<void> {
  const { worker } = cluster;
  if (worker === undefined || !worker.isConnected()) return;
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, FAREWELL_MS);
    process.once('disconnect', () => {
      clearTimeout(timer);
      resolve();
    });
    worker.disconnect();
  });
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** The end, once the log has it all. */
function exit(code: number): void {
  whenWritten(() => process.exit(code));
}
