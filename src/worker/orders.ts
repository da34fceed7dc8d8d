/**
 * Who may tell this worker to leave, and what each word means. This is the table of `docs/signals.md`:
 *
 * | comes in            | alone                    | under the native supervisor | under PM2          |
 * |---------------------|--------------------------|-----------------------------|--------------------|
 * | `shutdown`          | –                        | stop                        | stop               |
 * | `{ type: 'retire' }`| –                        | retire                      | –                  |
 * | SIGTERM             | stop                     | stop                        | stop               |
 * | SIGINT              | now (development), stop  | ignored                     | retire             |
 * | SIGHUP              | the system's default     | ignored                     | the system's default |
 * | a lost supervisor   | –                        | stop                        | stop               |
 */
import cluster from 'node:cluster';
import type { Environment } from '../config.js';
import type { ToWorker } from '../supervisor/messages.js';

/** Drain because the service stops, drain because a successor serves, or leave at once. */
export type Order = 'stop' | 'retire' | 'now';

/** Who is in charge of this process. */
export type Charge = 'nobody' | 'native' | 'pm2';

/** PM2 gives every process of its own an id; what else forks a cluster worker is the native supervisor. */
export function whoIsInCharge(env: NodeJS.ProcessEnv = process.env): Charge {
  if (env['pm_id'] !== undefined) return 'pm2';
  return cluster.isWorker ? 'native' : 'nobody';
}

/** Passes on every order that reaches this process. */
export function takeOrders(
  charge: Charge,
  environment: () => Environment,
  obey: (order: Order, why: string) => void,
): void {
  process.on('SIGTERM', () => obey('stop', 'SIGTERM'));
  process.on('SIGINT', () => {
    if (charge === 'pm2') obey('retire', 'SIGINT');
    // The supervisor hears the same key press, and gives the order.
    if (charge === 'nobody') obey(environment() === 'development' ? 'now' : 'stop', 'SIGINT');
  });
  if (charge === 'native') process.on('SIGHUP', () => undefined);
  if (charge === 'nobody') return;
  process.on('message', (message: ToWorker) => {
    if (message === 'shutdown') obey('stop', 'the supervisor');
    else if (typeof message === 'object' && message?.type === 'retire') obey('retire', 'the supervisor');
  });
  surviveSupervisor(() => obey('stop', 'the loss of its supervisor'));
}

/**
 * Without this, node:cluster ends a worker that loses its supervisor at once and with code 0, its requests
 * unanswered; it asks `exitedAfterDisconnect` in a listener of its own, so ours must come before it. PM2 emits one
 * such event by itself, while the channel is still open: that one means nothing.
 */
function surviveSupervisor(lost: () => void): void {
  process.prependListener('disconnect', () => {
    if (process.connected || cluster.worker?.exitedAfterDisconnect === true) return;
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    lost();
  });
}
