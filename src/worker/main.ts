/** One worker from boot to exit; the same code path alone, under PM2 and under the native supervisor. */
import { createApp } from '../app.js';
import { readConfig, type Config } from '../config.js';
import { ServiceError } from '../errors.js';
import { EXIT } from '../protocol/exit-codes.js';
import type { Readiness } from '../routes/health.js';
import type { FromWorker } from '../protocol/messages.js';
import { whoIsInCharge } from '../protocol/supervised-by.js';
import { logger } from '../utils/logger.js';
import { outliveTerminal } from '../platform/terminal.js';
import { whenWritten } from '../platform/stdout.js';
import { depart, type CloseHook, type Departure } from './shutdown.js';
import { drainable, type Drainable } from './drain.js';
import { listen, type Listening } from './listen.js';
import { takeOrders, type Giver, type Order } from './orders.js';
import { showPulseWhenAsked } from './heartbeat.js';
import { createServer } from './server.js';
import { showTitle } from './title.js';
import { tellUsageWhenAsked } from './usage.js';

/** After a failure nobody expected, requests in flight get this long; the process is not to be trusted any longer. */
const CRASH_DRAIN_MS = 2_000;

export interface WorkerOptions {
  readonly closeHooks?: readonly CloseHook[];
}

/** What a worker that serves consists of. */
interface Service {
  readonly config: Config;
  readonly connections: Drainable;
  readonly listening: Listening;
}

export async function runWorker({ closeHooks = [] }: WorkerOptions = {}): Promise<void> {
  const charge = whoIsInCharge();
  let readiness: Readiness = 'starting';
  let service: Service | undefined;
  let departure: Departure | undefined;
  let hasFailed = false;

  takeOrders(charge, () => service?.config.nodeEnv ?? 'production', obey);
  process.on('uncaughtException', crash).on('unhandledRejection', crash);
  outliveTerminal();
  showTitle('starting');

  try {
    const config = readConfig(process.env);
    logger.info(`Worker ${process.pid} starting`);
    const server = createServer(createApp({ config, logger, readiness: () => readiness }), config);
    const connections = drainable(server);
    const listening = await listen(server, config);
    service = { config, connections, listening };
    readiness = 'ready';
    showTitle('ready');
    logger.info(`Worker ${process.pid} HTTP server started successfully`);
    if (charge === 'native') {
      showPulseWhenAsked(server);
      tellUsageWhenAsked();
    }
    process.send?.('ready' satisfies FromWorker);
  } catch (error) {
    await bootFailed(error);
  }

  function obey(order: Order, giver: Giver, why: string): void {
    if (departure !== undefined && charge !== 'nobody') return; // escalation is the supervisor's SIGKILL
    if (departure !== undefined) return exit(EXIT.internal);
    if (service === undefined || order === 'now') return exit(EXIT.ok);
    logger.info(`Worker ${process.pid} draining (${why})`);
    if (order !== 'retire') readiness = 'stopping';
    const { drainDelayMs, drainTimeoutMs } = service.config;
    leave(service, giver, order === 'stop' ? drainDelayMs : 0, drainTimeoutMs);
  }

  /** A worker after an unforeseen failure answers what it has begun, and ends; its supervisor replaces it. */
  function crash(error: unknown): void {
    if (service === undefined) return void bootFailed(error);
    logger.fatal({ err: error }, `Worker ${process.pid} failed`);
    hasFailed = true;
    if (departure === undefined) leave(service, 'somebody', 0, CRASH_DRAIN_MS);
    else departure.hurry(CRASH_DRAIN_MS);
  }

  function leave(
    { connections, listening }: Service,
    giver: Giver,
    delayMs: number,
    timeoutMs: number,
  ): void {
    showTitle('draining');
    if (giver === 'somebody' && charge === 'native') announce(hasFailed ? EXIT.internal : EXIT.ok);
    departure = depart({ connections, listening, closeHooks, logger, delayMs, timeoutMs });
    void departure.done.then(isWell => exit(isWell && !hasFailed ? EXIT.ok : EXIT.internal));
  }
}

/** Lets the supervisor fill the seat while its old worker still drains. */
function announce(code: number): void {
  if (process.connected) process.send?.({ type: 'leaving', code } satisfies FromWorker);
}

/** One line and an exit code, never a process that lives and serves nothing. */
async function bootFailed(error: unknown): Promise<void> {
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

/** The end, once the log has it all. */
function exit(code: number): void {
  whenWritten(() => process.exit(code));
}
