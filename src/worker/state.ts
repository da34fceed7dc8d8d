/**
 * The life of a worker, as one value and pure transitions. `main.ts` performs the effects.
 *
 *     booting ── started ──▶ serving ── order, failure ──▶ draining ── drained ──▶ exiting
 *        ├────── order ──────────┴──────── `now` ──────────────┴────────────────────▶
 *        └────── failure ──▶ failed
 */
import { EXIT } from '../protocol/exit-codes.js';
import type { SupervisedBy } from '../protocol/supervised-by.js';
import type { Readiness } from '../routes/health.js';

/** After an unexpected failure, requests in flight get this long: the state of the process is unknown. */
export const FAILURE_DRAIN_MS = 2_000;

/**
 * Why a worker is to leave: the service stops, a successor serves, the supervisor is gone; or, `now`, without a drain.
 */
export type Order = 'stop' | 'retire' | 'orphaned' | 'now';

/** Where an order comes from: `external` ones are unknown to the supervisor, which then has to be informed. */
export type OrderSource = 'supervisor' | 'external';

export type WorkerState =
  | { readonly phase: 'booting' }
  | { readonly phase: 'serving'; readonly drainDelayMs: number; readonly drainTimeoutMs: number }
  | {
      readonly phase: 'draining';
      readonly reason: Exclude<Order, 'now'> | 'failure';
      /** An unexpected failure happened before or during the drain: the exit code tells. */
      readonly hasFailed: boolean;
    }
  /** It could not boot, and exits with the code of the failure. */
  | { readonly phase: 'failed' }
  | { readonly phase: 'exiting' };

export type WorkerEvent =
  /** It accepts connections. */
  | { readonly type: 'started'; readonly drainDelayMs: number; readonly drainTimeoutMs: number }
  | {
      readonly type: 'order';
      readonly order: Order;
      readonly source: OrderSource;
      /** For the log. */
      readonly cause: string;
    }
  /** The boot failed, or an uncaught exception or unhandled rejection happened. */
  | { readonly type: 'failure'; readonly error: unknown }
  /** The shutdown is complete; clean if no request was cut and everything was closed. */
  | { readonly type: 'drained'; readonly isClean: boolean };

/** What the shell has to do, in this order. */
export type WorkerEffect =
  /** Log it, and report `ready`. */
  | { readonly type: 'serve' }
  | { readonly type: 'log.drain'; readonly cause: string }
  | { readonly type: 'log.failure'; readonly error: unknown }
  /** Tell the native supervisor that this worker drains unasked, why, and with which code it is going to exit. */
  | { readonly type: 'report.draining'; readonly code: number; readonly reason: unknown }
  | { readonly type: 'drain'; readonly delayMs: number; readonly timeoutMs: number }
  | { readonly type: 'drain.hurry'; readonly timeoutMs: number }
  /** Log and report why the boot failed, and exit with the code of the error. */
  | { readonly type: 'fail'; readonly error: unknown }
  | { readonly type: 'exit'; readonly code: number };

export interface Transition {
  readonly state: WorkerState;
  readonly effects: readonly WorkerEffect[];
}

export const BOOTING: WorkerState = { phase: 'booting' };

/** What `/readyz` answers. A retired worker stays ready: its host must not leave the load balancer at each reload. */
export function readinessOf(state: WorkerState): Readiness {
  switch (state.phase) {
    case 'booting':
      return 'starting';
    case 'serving':
      return 'ready';
    case 'draining':
      return state.reason === 'stop' || state.reason === 'orphaned' ? 'stopping' : 'ready';
    case 'failed':
    case 'exiting':
      return 'stopping';
  }
}

/** The next state and what is to be done. An event that changes nothing returns the same state and no effects. */
export function transition(state: WorkerState, event: WorkerEvent, supervisedBy: SupervisedBy): Transition {
  switch (state.phase) {
    case 'booting':
      return whileBooting(state, event);
    case 'serving':
      return whileServing(state, event, supervisedBy);
    case 'draining':
      return whileDraining(state, event, supervisedBy);
    case 'failed':
    case 'exiting':
      return unchanged(state);
  }
}

type In<Phase extends WorkerState['phase']> = Extract<WorkerState, { phase: Phase }>;

const unchanged = (state: WorkerState): Transition => ({ state, effects: [] });

const exit = (code: number): Transition => ({
  state: { phase: 'exiting' },
  effects: [{ type: 'exit', code }],
});

function whileBooting(state: In<'booting'>, event: WorkerEvent): Transition {
  switch (event.type) {
    case 'started': {
      const { drainDelayMs, drainTimeoutMs } = event;
      return { state: { phase: 'serving', drainDelayMs, drainTimeoutMs }, effects: [{ type: 'serve' }] };
    }
    case 'order':
      return exit(EXIT.ok);
    case 'failure':
      return { state: { phase: 'failed' }, effects: [{ type: 'fail', error: event.error }] };
    case 'drained':
      return unchanged(state);
  }
}

function whileServing(state: In<'serving'>, event: WorkerEvent, supervisedBy: SupervisedBy): Transition {
  switch (event.type) {
    case 'order': {
      const { order, source, cause } = event;
      if (order === 'now') return exit(EXIT.ok);
      return {
        state: { phase: 'draining', reason: order, hasFailed: false },
        effects: [
          { type: 'log.drain', cause },
          ...(source === 'external' ? report(EXIT.ok, cause, supervisedBy) : []),
          {
            type: 'drain',
            delayMs: order === 'stop' ? state.drainDelayMs : 0,
            timeoutMs: state.drainTimeoutMs,
          },
        ],
      };
    }
    case 'failure':
      return {
        state: { phase: 'draining', reason: 'failure', hasFailed: true },
        effects: [
          { type: 'log.failure', error: event.error },
          ...report(EXIT.internal, event.error, supervisedBy),
          { type: 'drain', delayMs: 0, timeoutMs: FAILURE_DRAIN_MS },
        ],
      };
    case 'started':
    case 'drained':
      return unchanged(state);
  }
}

/** Only the native supervisor fills the slot while its old worker still drains. */
const report = (code: number, reason: unknown, supervisedBy: SupervisedBy): readonly WorkerEffect[] =>
  supervisedBy === 'native' ? [{ type: 'report.draining', code, reason }] : [];

function whileDraining(state: In<'draining'>, event: WorkerEvent, supervisedBy: SupervisedBy): Transition {
  switch (event.type) {
    case 'order':
      // A supervisor escalates by SIGKILL; without one, the second order does not wait.
      return supervisedBy === 'none' ? exit(EXIT.internal) : unchanged(state);
    case 'failure':
      return {
        state: { ...state, hasFailed: true },
        effects: [
          { type: 'log.failure', error: event.error },
          { type: 'drain.hurry', timeoutMs: FAILURE_DRAIN_MS },
        ],
      };
    case 'drained':
      return exit(event.isClean && !state.hasFailed ? EXIT.ok : EXIT.internal);
    case 'started':
      return unchanged(state);
  }
}
