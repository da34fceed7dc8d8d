/**
 * Who may tell this worker to leave, and what each word means. This is the table of `docs/signals.md`:
 *
 * | comes in            | alone                    | under the native supervisor | under PM2          |
 * |---------------------|--------------------------|-----------------------------|--------------------|
 * | `shutdown`          | –                        | stop                        | stop               |
 * | `{ type: 'retire' }`| –                        | retire                      | retire, though nobody says so |
 * | SIGTERM             | stop                     | retire, by itself           | stop               |
 * | SIGINT              | now (development), stop  | ignored                     | retire             |
 * | SIGHUP              | the system's default     | ignored                     | the system's default |
 * | a lost supervisor   | –                        | orphaned                    | orphaned           |
 */
import cluster from 'node:cluster';
import type { Environment } from '../config.js';
import type { ToWorker } from '../protocol/messages.js';
import type { SupervisedBy } from '../protocol/supervised-by.js';
import { withoutEchoes } from '../platform/debounce-signal.js';
import type { Order, OrderSource } from './state.js';

/**
 * Who ends a service may signal all of its processes at once, as systemd does: the supervisor's own order is then on
 * its way, and a worker that has told it of a leave of its own by then would be replaced in vain.
 */
const SAME_SIGNAL_MS = 100;

/** Passes on every order that reaches this process. */
export function takeOrders(
  supervisor: SupervisedBy,
  environment: () => Environment,
  obey: (order: Order, source: OrderSource, cause: string) => void,
): void {
  const terminated = withoutEchoes(() => {
    if (supervisor === 'native') setTimeout(obey, SAME_SIGNAL_MS, 'retire', 'external', 'SIGTERM');
    else obey('stop', 'external', 'SIGTERM');
  });
  const interrupted = withoutEchoes(() => {
    if (supervisor === 'pm2') obey('retire', 'supervisor', 'SIGINT');
    // The supervisor hears the same key press, and gives the order.
    if (supervisor === 'none') obey(environment() === 'development' ? 'now' : 'stop', 'external', 'SIGINT');
  });
  process.on('SIGTERM', terminated).on('SIGINT', interrupted);
  if (supervisor === 'native') process.on('SIGHUP', () => undefined);
  if (supervisor === 'none') return;
  process.on('message', (message: ToWorker) => {
    if (message === 'shutdown') obey('stop', 'supervisor', 'the supervisor');
    else if (typeof message === 'object' && message?.type === 'retire')
      obey('retire', 'supervisor', 'the supervisor');
  });
  surviveSupervisor(() => obey('orphaned', 'external', 'the loss of its supervisor'));
}

/**
 * Without this, node:cluster ends a worker that loses its supervisor at once and with code 0, its requests
 * unanswered; it asks `exitedAfterDisconnect` in a listener of its own, so ours must come before it. PM2 emits one
 * such event by itself, while the channel is still open: that one means nothing.
 */
function surviveSupervisor(lost: () => void): void {
  // What is said to a supervisor that has died a moment ago is nobody's failure: `disconnect` is about to tell.
  cluster.worker?.on('error', () => undefined);
  process.prependListener('disconnect', () => {
    if (process.connected || cluster.worker?.exitedAfterDisconnect === true) return;
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    lost();
  });
}
