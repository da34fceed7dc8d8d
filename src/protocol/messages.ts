/**
 * The wire between the supervisor and its workers, and its doorkeeper: the only file of the supervisor that a worker
 * loads. PM2 and foreign apps speak the two plain strings; everything else is ours and ignored by those who do not
 * know it.
 */

/** Set to `1` in a worker's environment by a supervisor that hands out its listening socket on request. */
export const LISTENER_OFFER = 'CABE_LISTENER_OFFER';

/** What a worker tells its supervisor. */
export type FromWorker =
  /** It serves (PM2's `wait_ready` word). */
  | 'ready'
  /** It cannot boot: why, and the code with which it is about to exit. */
  | { readonly type: 'boot-failed'; readonly code: number; readonly message: string }
  /** It drains and will exit with this code, unasked: it accepts nothing any more, and its seat is free. */
  | { readonly type: 'leaving'; readonly code: number }
  /** It wants the listening socket of this address; sent only where {@link LISTENER_OFFER} is set. */
  | { readonly type: 'listener.wanted'; readonly port: number; readonly host: string | undefined }
  /** The answer to `usage.wanted`: resident memory in bytes, and CPU time since its start in ms. */
  | { readonly type: 'usage'; readonly rss: number; readonly cpuMs: number }
  /** It has something to do again, after its pulse had rested. */
  | { readonly type: 'roused' };

/** What a supervisor tells its worker; `listener` and `listener.lent` travel with a TCP handle. */
export type ToWorker =
  /** Drain and exit, the service stops (PM2's `shutdown_with_message` word). */
  | 'shutdown'
  /** Drain and exit, a successor serves: skips DRAIN_DELAY_MS. Sent before `shutdown`, which then says nothing new. */
  | { readonly type: 'retire' }
  /** The answer to `listener.wanted`: a handle, or no handle and the reason; without either, listen yourself. */
  | { readonly type: 'listener'; readonly error?: { readonly code: string; readonly message: string } }
  /** Accept on this slot's socket as well, until it is returned: its own worker is gone or hangs. */
  | { readonly type: 'listener.lent'; readonly slot: number }
  | { readonly type: 'listener.returned'; readonly slot: number }
  | { readonly type: 'usage.wanted' }
  /** Show a pulse in this record of the board; or rest, until there is something to do again, or until asked again. */
  | { readonly type: 'pulse.wanted'; readonly record: number }
  | { readonly type: 'pulse.enough'; readonly until: 'busy' | 'asked' };

/** Whether a message that arrived over IPC is one of ours; anything else is the app's own business. */
export function isFromWorker(value: unknown): value is FromWorker {
  if (value === 'ready') return true;
  if (!isRecord(value)) return false;
  switch (value['type']) {
    case 'boot-failed':
      return Number.isInteger(value['code']) && typeof value['message'] === 'string';
    case 'roused':
      return true;
    case 'leaving':
      return Number.isInteger(value['code']);
    case 'listener.wanted':
      return Number.isInteger(value['port']) && ['string', 'undefined'].includes(typeof value['host']);
    case 'usage':
      return typeof value['rss'] === 'number' && typeof value['cpuMs'] === 'number';
    default:
      return false;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
