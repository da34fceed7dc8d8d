/** Short names for the events of the core, and pools to which they have happened. */
import type {
  Effect,
  Event,
  Millis,
  Notice,
  Outcome,
  Policy,
  Pool,
} from '../../../src/supervisor/core/model.js';
import { createPool, step } from '../../../src/supervisor/core/step.js';
import { POLICY } from '../../support/world.js';

/** A crash waits 100 ms, the third unstable exit in a row is one too many, and exit code 7 stops the slot. */
export const LIMITED: Policy = { ...POLICY, restartDelayMs: 100, maxRestarts: 3, stopExitCodes: [7] };

export const wake: Event = { type: 'wake' };
export const ready = (worker: number): Event => ({ type: 'worker.ready', worker });
export const listening = (worker: number): Event => ({ type: 'worker.listening', worker });
export const bootFailed = (worker: number, code = 1): Event => ({
  type: 'worker.boot-failed',
  worker,
  failure: { code, message: 'no database' },
});
export const exited = (worker: number, code: number | null = 1, signal: string | null = null): Event => ({
  type: 'worker.exited',
  worker,
  code,
  signal,
});
export const draining = (worker: number, code = 1): Event => ({ type: 'worker.draining', worker, code });
/** @param hasGrown whether it was below its limit when it became ready */
export const memoryExceeded = (worker: number, hasGrown = false): Event => ({
  type: 'worker.memory-exceeded',
  worker,
  bytes: 231 * 2 ** 20,
  limitBytes: 150 * 2 ** 20,
  hasGrown,
});
export const unresponsive = (worker: number, blockedMs = 0): Event => ({
  type: 'worker.unresponsive',
  worker,
  blockedMs,
});
export const responsive = (worker: number): Event => ({ type: 'worker.responsive', worker });
export const hung = (worker: number): Event => ({ type: 'worker.hung', worker, blockedMs: 60_000 });
export const forkFailed = (worker: number): Event => ({
  type: 'fork.failed',
  worker,
  message: 'spawn EAGAIN',
});
export const reloadRequested: Event = { type: 'reload.requested' };
export const reloadRefused: Event = { type: 'reload.refused' };
export const reloadRead = (generation = 2, policy: Policy = LIMITED, instances = 2): Event => ({
  type: 'reload.read',
  generation,
  policy,
  instances,
});
export const scaled = (instances: number): Event => ({ type: 'scale', instances });
export const stop: Event = { type: 'stop', how: 'drain' };
export const retire: Event = { type: 'stop', how: 'retire' };
export const stopNow: Event = { type: 'stop', how: 'now' };

export type TimedEvents = readonly [now: Millis, ...events: readonly Event[]];

/** The pool after these events, with all effects and notices on the way. */
export function run(pool: Pool, ...timedEvents: readonly TimedEvents[]): Outcome {
  let next = pool;
  const effects: Effect[] = [];
  const notices: Notice[] = [];
  for (const [now, ...events] of timedEvents) {
    for (const event of events) {
      const outcome = step(next, event, now);
      next = outcome.pool;
      effects.push(...outcome.effects);
      notices.push(...outcome.notices);
    }
  }
  return { pool: next, effects, notices };
}

export const after = (pool: Pool, ...timedEvents: readonly TimedEvents[]): Pool =>
  run(pool, ...timedEvents).pool;

/** Two workers, w1 and w2, ready since 0 and stable since 1 000. */
export const two = (policy: Partial<Policy> = {}): Pool =>
  after(createPool({ ...LIMITED, ...policy }, 2), [0, wake, ready(1), ready(2)]);
