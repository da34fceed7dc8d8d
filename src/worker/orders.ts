/**
 * The orders to drain: where they come from, and what each means. This is the table of `docs/signals.md`:
 *
 * | comes in            | alone                    | under the native supervisor | under PM2          |
 * |---------------------|--------------------------|-----------------------------|--------------------|
 * | `shutdown`          | –                        | stop                        | stop               |
 * | `{ type: 'retire' }`| –                        | retire                      | retire, without a message |
 * | SIGTERM             | stop                     | retire, on its own          | stop               |
 * | SIGINT              | now (development), stop  | ignored                     | retire             |
 * | SIGHUP              | the system's default     | ignored                     | the system's default |
 * | a lost supervisor   | –                        | orphaned                    | orphaned           |
 */
import cluster from 'node:cluster';
import type { Environment } from '../config.js';
import type { ToWorker } from '../protocol/messages.js';
import type { SupervisedBy } from '../protocol/supervised-by.js';
import { withoutEchoes } from '../platform/debounce-signal.js';

/** Drain because the service stops, a successor serves, or the supervisor is gone; or exit at once. */
export type Order = 'stop' | 'retire' | 'orphaned' | 'now';

/** Where an order comes from: its supervisor, or something that the supervisor does not know of (a signal). */
export type OrderSource = 'supervisor' | 'external';

/**
 * A service manager may signal all processes of a service at once, as systemd does. The supervisor's order is then on
 * its way; a worker that announces a drain of its own before it arrives would be replaced in vain.
 */
const SAME_SIGNAL_MS = 100;

/** Calls back for every order. */
export function takeOrders(
  supervisedBy: SupervisedBy,
  environment: () => Environment,
  handle: (order: Order, source: OrderSource, reason: string) => void,
): void {
  const terminated = withoutEchoes(() => {
    if (supervisedBy === 'native') setTimeout(handle, SAME_SIGNAL_MS, 'retire', 'external', 'SIGTERM');
    else handle('stop', 'external', 'SIGTERM');
  });
  const interrupted = withoutEchoes(() => {
    if (supervisedBy === 'pm2') handle('retire', 'supervisor', 'SIGINT');
    // Natively the supervisor gets the same key press, and gives the order.
    if (supervisedBy === 'none')
      handle(environment() === 'development' ? 'now' : 'stop', 'external', 'SIGINT');
  });
  process.on('SIGTERM', terminated).on('SIGINT', interrupted);
  if (supervisedBy === 'native') process.on('SIGHUP', () => undefined);
  if (supervisedBy === 'none') return;
  process.on('message', (message: ToWorker) => {
    if (message === 'shutdown') handle('stop', 'supervisor', 'the supervisor');
    else if (typeof message === 'object' && message?.type === 'retire')
      handle('retire', 'supervisor', 'the supervisor');
  });
  surviveSupervisor(() => handle('orphaned', 'external', 'the loss of its supervisor'));
}

/**
 * Without this, node:cluster ends a worker that loses its supervisor at once with code 0, its requests unanswered. It
 * reads `exitedAfterDisconnect` in a listener of its own, so ours must come first. PM2 emits one such event while the
 * channel is still open: that one means nothing.
 */
function surviveSupervisor(lost: () => void): void {
  // A message to a supervisor that has just died fails; `disconnect` follows.
  cluster.worker?.on('error', () => undefined);
  process.prependListener('disconnect', () => {
    if (process.connected || cluster.worker?.exitedAfterDisconnect === true) return;
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    lost();
  });
}
