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
import type { Charge } from '../protocol/supervised-by.js';
import { withoutEchoes } from '../platform/debounce-signal.js';

/**
 * Drain because the service stops, because a successor serves, or because nobody is in charge any more; or leave at
 * once.
 */
export type Order = 'stop' | 'retire' | 'orphaned' | 'now';

/** Who gave it: its supervisor, or somebody whom the supervisor has not heard. */
export type Giver = 'supervisor' | 'somebody';

/**
 * Who ends a service may signal all of its processes at once, as systemd does: the supervisor's own order is then on
 * its way, and a worker that has told it of a leave of its own by then would be replaced in vain.
 */
const SAME_SIGNAL_MS = 100;

/** Passes on every order that reaches this process. */
export function takeOrders(
  charge: Charge,
  environment: () => Environment,
  obey: (order: Order, giver: Giver, why: string) => void,
): void {
  const terminated = withoutEchoes(() => {
    if (charge === 'native') setTimeout(obey, SAME_SIGNAL_MS, 'retire', 'somebody', 'SIGTERM');
    else obey('stop', 'somebody', 'SIGTERM');
  });
  const interrupted = withoutEchoes(() => {
    if (charge === 'pm2') obey('retire', 'supervisor', 'SIGINT');
    // The supervisor hears the same key press, and gives the order.
    if (charge === 'nobody') obey(environment() === 'development' ? 'now' : 'stop', 'somebody', 'SIGINT');
  });
  process.on('SIGTERM', terminated).on('SIGINT', interrupted);
  if (charge === 'native') process.on('SIGHUP', () => undefined);
  if (charge === 'nobody') return;
  process.on('message', (message: ToWorker) => {
    if (message === 'shutdown') obey('stop', 'supervisor', 'the supervisor');
    else if (typeof message === 'object' && message?.type === 'retire')
      obey('retire', 'supervisor', 'the supervisor');
  });
  surviveSupervisor(() => obey('orphaned', 'somebody', 'the loss of its supervisor'));
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
