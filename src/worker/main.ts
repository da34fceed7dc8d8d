/** One worker from boot to exit; the same code path alone, under PM2 and under the native supervisor. */
import type { Server } from 'node:http';
import { createApp } from '../app.js';
import { readConfig, type Environment } from '../config.js';
import { ServiceError } from '../errors.js';
import { closeTerminalsAtExit } from '../platform/terminal.js';
import { whenWritten } from '../platform/stdout.js';
import { EXIT } from '../protocol/exit-codes.js';
import type { FromWorker } from '../protocol/messages.js';
import { supervisedBy, type SupervisedBy } from '../protocol/supervised-by.js';
import { logger } from '../utils/logger.js';
import { drainable, type Drainable } from './drain.js';
import { showPulseWhenAsked } from './heartbeat.js';
import { listen, type Listening } from './listen.js';
import { takeOrders } from './orders.js';
import { createServer } from './server.js';
import { startShutdown, type CloseHook, type Shutdown } from './shutdown.js';
import { BOOTING, readinessOf, transition, type WorkerEffect, type WorkerEvent } from './state.js';
import { showTitle } from './title.js';
import { tellUsageWhenAsked } from './usage.js';

export interface WorkerOptions {
  readonly closeHooks?: readonly CloseHook[];
}

/** What a serving worker consists of. */
interface Service {
  readonly nodeEnv: Environment;
  readonly server: Server;
  readonly connections: Drainable;
  readonly listening: Listening;
}

/** Runs until the process exits: everything that happens becomes an event of the state machine in `state.ts`. */
export async function runWorker({ closeHooks = [] }: WorkerOptions = {}): Promise<void> {
  const supervisor = supervisedBy();
  let state = BOOTING;
  let service: Service | undefined;
  let shutdown: Shutdown | undefined;

  takeOrders(
    supervisor,
    () => service?.nodeEnv ?? 'production',
    (order, source, cause) => handle({ type: 'order', order, source, cause }),
  );
  const fail = (error: unknown): void => handle({ type: 'failure', error });
  process.on('uncaughtException', fail).on('unhandledRejection', fail);
  closeTerminalsAtExit();
  showTitle(state.phase);

  try {
    const config = readConfig(process.env);
    logger.info(`Worker ${process.pid} starting`);
    const server = createServer(createApp({ config, logger, readiness: () => readinessOf(state) }), config);
    const connections = drainable(server);
    const listening = await listen(server, config);
    service = { nodeEnv: config.nodeEnv, server, connections, listening };
    const { drainDelayMs, drainTimeoutMs } = config;
    handle({ type: 'started', drainDelayMs, drainTimeoutMs });
  } catch (error) {
    fail(error);
  }

  function handle(event: WorkerEvent): void {
    const { phase } = state;
    const { state: next, effects } = transition(state, event, supervisor);
    state = next;
    if (state.phase !== phase) showTitle(state.phase);
    for (const effect of effects) perform(effect);
  }

  function perform(effect: WorkerEffect): void {
    switch (effect.type) {
      case 'serve':
        return service && serve(service, supervisor);
      case 'log.drain':
        return logger.info(`Worker ${process.pid} draining (${effect.cause})`);
      case 'log.failure':
        return logger.fatal({ err: effect.error }, `Worker ${process.pid} failed`);
      case 'report.draining':
        return reportDraining(effect.code);
      case 'drain':
        return service && startDrain(service, effect);
      case 'drain.hurry':
        return shutdown?.hurry(effect.timeoutMs);
      case 'fail':
        return void failBoot(effect.error);
      case 'exit':
        return exit(effect.code);
    }
  }

  function startDrain(
    { connections, listening }: Service,
    times: { readonly delayMs: number; readonly timeoutMs: number },
  ): void {
    shutdown = startShutdown({ connections, listening, closeHooks, logger, ...times });
    void shutdown.done.then(isClean => handle({ type: 'drained', isClean }));
  }
}

/** The last step of the boot: the service is announced. */
function serve({ server }: Service, supervisor: SupervisedBy): void {
  logger.info(`Worker ${process.pid} HTTP server started successfully`);
  if (supervisor === 'native') {
    showPulseWhenAsked(server);
    tellUsageWhenAsked();
  }
  process.send?.('ready' satisfies FromWorker);
}

function reportDraining(code: number): void {
  if (process.connected) process.send?.({ type: 'leaving', code } satisfies FromWorker);
}

/** One line and an exit code: a process that lives and serves nothing would look healthy. */
async function failBoot(error: unknown): Promise<void> {
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

/** Exits once the log is written. */
function exit(code: number): void {
  whenWritten(() => process.exit(code));
}
