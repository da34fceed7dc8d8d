/** Short words for what can happen to a pool, and pools that it has happened to. */
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

/** Crashes wait 100 ms, the third in a row is one too many, and 7 means "leave me alone". */
export const EDGES: Policy = { ...POLICY, restartDelayMs: 100, maxRestarts: 3, stopExitCodes: [7] };

export const wake: Event = { type: 'wake' };
export const ready = (worker: number): Event => ({ type: 'worker.ready', worker });
export const listening = (worker: number): Event => ({ type: 'worker.listening', worker });
export const failed = (worker: number, code = 1): Event => ({
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
export const leaving = (worker: number, code = 0): Event => ({ type: 'worker.draining', worker, code });
export const grown = (worker: number): Event => ({ type: 'worker.memory-exceeded', worker });
export const drains = (worker: number, code = 1): Event => ({ type: 'worker.draining', worker, code });
export const silent = (worker: number): Event => ({ type: 'worker.unresponsive', worker });
export const heard = (worker: number): Event => ({ type: 'worker.responsive', worker });
export const refused = (worker: number): Event => ({ type: 'fork.failed', worker, message: 'spawn EAGAIN' });
export const asked: Event = { type: 'reload.requested' };
export const unusable: Event = { type: 'reload.refused' };
export const read = (generation = 2, policy: Policy = EDGES, instances = 2): Event => ({
  type: 'reload.read',
  generation,
  policy,
  instances,
});
export const scaled = (instances: number): Event => ({ type: 'scale', instances });
export const stop: Event = { type: 'stop', how: 'drain' };
export const stopNow: Event = { type: 'stop', how: 'now' };

export type Happening = readonly [now: Millis, ...events: readonly Event[]];

/** What becomes of a pool when all this happens to it, and every effect on the way. */
export function play(pool: Pool, ...happenings: readonly Happening[]): Outcome {
  let next = pool;
  const effects: Effect[] = [];
  const notices: Notice[] = [];
  for (const [now, ...events] of happenings) {
    for (const event of events) {
      const outcome = step(next, event, now);
      next = outcome.pool;
      effects.push(...outcome.effects);
      notices.push(...outcome.notices);
    }
  }
  return { pool: next, effects, notices };
}

export const after = (pool: Pool, ...happenings: readonly Happening[]): Pool =>
  play(pool, ...happenings).pool;

/** Two workers, w1 and w2, ready since 0 and stable since 1 000. */
export const two = (policy: Partial<Policy> = {}): Pool =>
  after(createPool({ ...EDGES, ...policy }, 2), [0, wake, ready(1), ready(2)]);
