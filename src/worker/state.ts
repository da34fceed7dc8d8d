/**
 * One worker's life as a state machine. Pure: `next` says what the state is after an event, and what to do about it;
 * `main.ts` does it.
 *
 * ```
 *           booted            order, crash
 * booting ──────────> serving ─────────────> draining ──> exit
 *    │ boot-failed, crash                       │ crash: hurry   order (alone): exit now
 *    └───────────────> failed ──> exit
 * ```
 */
import { EXIT } from '../protocol/exit-codes.js';
import type { SupervisedBy } from '../protocol/supervised-by.js';
import type { Readiness } from '../routes/health.js';
import type { Order, OrderSource } from './orders.js';

export type WorkerState =
  | { readonly at: 'booting' }
  | { readonly at: 'serving' }
  | {
      readonly at: 'draining';
      /** The whole service stops: load balancers must send no more traffic. */
      readonly isStopping: boolean;
      /** An uncaught error was seen: the exit code is 1. */
      readonly hasFailed: boolean;
    }
  | { readonly at: 'failed' };

export type WorkerEvent =
  | { readonly type: 'booted' }
  | { readonly type: 'boot-failed'; readonly error: unknown }
  /** @see Order; `reason` is for the log */
  | {
      readonly type: 'order';
      readonly order: Order;
      readonly source: OrderSource;
      readonly reason: string;
    }
  /** An uncaught exception or an unhandled rejection. */
  | { readonly type: 'crashed'; readonly error: unknown }
  /** Nothing is left to do but to exit. `isClean`: no request was cut, and no close hook failed. */
  | { readonly type: 'drained'; readonly isClean: boolean };

export type WorkerAction =
  | { readonly type: 'log-draining'; readonly reason: string }
  | { readonly type: 'log-crash'; readonly error: unknown }
  /** Tell the supervisor that this worker drains without an order, and its exit code to be. */
  | { readonly type: 'announce-draining'; readonly code: number }
  /** `delayed`: serve on for DRAIN_DELAY_MS first. `limit`: DRAIN_TIMEOUT_MS, or the short one after a crash. */
  | { readonly type: 'drain'; readonly delayed: boolean; readonly limit: 'drain' | 'crash' }
  /** Shorten the running drain: the process is not to be trusted any longer. */
  | { readonly type: 'hurry' }
  | { readonly type: 'report-boot-failure'; readonly error: unknown }
  | { readonly type: 'exit'; readonly code: number };

export type Transition = readonly [state: WorkerState, actions: readonly WorkerAction[]];

/** @param supervisedBy a supervised worker is killed by its supervisor if it hangs; a worker alone needs a way out */
export function next(state: WorkerState, event: WorkerEvent, supervisedBy: SupervisedBy): Transition {
  switch (event.type) {
    case 'booted':
      return state.at === 'booting' ? [{ at: 'serving' }, []] : [state, []];
    case 'boot-failed':
      return failToBoot(state, event.error);
    case 'order':
      return handleOrder(state, event, supervisedBy);
    case 'crashed':
      return crash(state, event.error, supervisedBy);
    case 'drained': {
      const isWell = event.isClean && !(state.at === 'draining' && state.hasFailed);
      return [state, [{ type: 'exit', code: isWell ? EXIT.ok : EXIT.internal }]];
    }
  }
}

/** What `/readyz` answers. A worker that only makes room for its successor is still ready. */
export function readinessOf(state: WorkerState): Readiness {
  if (state.at === 'draining') return state.isStopping ? 'stopping' : 'ready';
  return state.at === 'serving' ? 'ready' : 'starting';
}

function failToBoot(state: WorkerState, error: unknown): Transition {
  if (state.at === 'failed') return [state, []];
  return [{ at: 'failed' }, [{ type: 'report-boot-failure', error }]];
}

function handleOrder(
  state: WorkerState,
  { order, source, reason }: Extract<WorkerEvent, { type: 'order' }>,
  supervisedBy: SupervisedBy,
): Transition {
  if (state.at === 'draining')
    return [state, supervisedBy === 'none' ? [{ type: 'exit', code: EXIT.internal }] : []];
  if (state.at !== 'serving' || order === 'now') return [state, [{ type: 'exit', code: EXIT.ok }]];
  const announced = announce(source, supervisedBy, EXIT.ok);
  return [
    { at: 'draining', isStopping: order !== 'retire', hasFailed: false },
    [
      { type: 'log-draining', reason },
      ...announced,
      { type: 'drain', delayed: order === 'stop', limit: 'drain' },
    ],
  ];
}

/** A serving worker answers what it has begun, and ends; its supervisor replaces it. */
function crash(state: WorkerState, error: unknown, supervisedBy: SupervisedBy): Transition {
  const logged: WorkerAction = { type: 'log-crash', error };
  switch (state.at) {
    case 'booting':
    case 'failed':
      return failToBoot(state, error);
    case 'serving':
      return [
        { at: 'draining', isStopping: false, hasFailed: true },
        [
          logged,
          ...announce('external', supervisedBy, EXIT.internal),
          { type: 'drain', delayed: false, limit: 'crash' },
        ],
      ];
    case 'draining':
      return [{ ...state, hasFailed: true }, [logged, { type: 'hurry' }]];
  }
}

/** Lets the native supervisor fill the slot while its old worker still drains. */
function announce(source: OrderSource, supervisedBy: SupervisedBy, code: number): readonly WorkerAction[] {
  return source === 'external' && supervisedBy === 'native' ? [{ type: 'announce-draining', code }] : [];
}
