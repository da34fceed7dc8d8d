/**
 * The orders that a worker follows, and what each means. This is the table of `docs/signals.md`:
 *
 * | comes in                 | alone                    | under the native supervisor | under PM2             |
 * |--------------------------|--------------------------|-----------------------------|-----------------------|
 * | `shutdown`               | –                        | stop                        | stop                  |
 * | `{ type: 'cabe:retire' }`| –                        | retire                      | retire, but PM2 never sends it |
 * | SIGTERM                  | stop                     | retire, external            | stop                  |
 * | SIGINT                   | now (development), stop  | ignored                     | retire                |
 * | SIGHUP                   | the system's default     | ignored                     | the system's default  |
 * | a lost supervisor        | –                        | orphaned                    | orphaned              |
 */
import type { Environment } from '../config.js';
import { debounceSignal } from '../platform/debounce-signal.js';
import type { SupervisedBy } from '../protocol/supervised-by.js';
import type { Channel } from './channel.js';
import type { Order, OrderSource } from './state.js';

/**
 * systemd, among others, signals all processes of a service together: the supervisor's own order is then on its way, and
 * a worker that had reported a drain of its own by then would be replaced in vain. In ms.
 */
const SUPERVISOR_FIRST_MS = 100;

export interface OrderNeeds {
  readonly supervisedBy: SupervisedBy;
  readonly channel: Channel;
  /** Looked up at each SIGINT. */
  environment(): Environment;
  /** @param cause for the log */
  handleOrder(order: Order, source: OrderSource, cause: string): void;
}

/** Hands on every order that reaches this process. */
export function receiveOrders({ supervisedBy, channel, environment, handleOrder }: OrderNeeds): void {
  const onSigterm = debounceSignal(() => {
    if (supervisedBy === 'native')
      setTimeout(handleOrder, SUPERVISOR_FIRST_MS, 'retire', 'external', 'SIGTERM');
    else handleOrder('stop', 'external', 'SIGTERM');
  });
  const onSigint = debounceSignal(() => {
    if (supervisedBy === 'pm2') handleOrder('retire', 'supervisor', 'SIGINT');
    // The native supervisor receives the same key press, and sends the order.
    if (supervisedBy === 'none')
      handleOrder(environment() === 'development' ? 'now' : 'stop', 'external', 'SIGINT');
  });
  process.on('SIGTERM', onSigterm).on('SIGINT', onSigint);
  if (supervisedBy === 'native') process.on('SIGHUP', () => undefined);
  if (supervisedBy === 'none') return;
  channel.on('shutdown', () => handleOrder('stop', 'supervisor', "supervisor's order"));
  channel.on('cabe:retire', () => handleOrder('retire', 'supervisor', "supervisor's order"));
  channel.onLost(() => handleOrder('orphaned', 'external', 'supervisor lost'));
}
