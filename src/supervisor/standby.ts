/**
 * A warm standby: one worker more than there are seats, loaded and waiting. It takes over the first seat that falls
 * vacant, so that a service with one worker is without it for a moment and not for the time of a boot.
 */
import type { Millis, Outcome, Pool, Standby, WorkerId } from './model.js';
import { depart, only } from './moves.js';
import { exponentialDelay } from './policy.js';

/** A standby that could not be loaded is tried again at this pace. */
const FIRST_DELAY_MS = 1_000;

/** Nobody stands by, and from this moment on somebody may. */
export const nobody = (from: Millis, failures = 0): Standby => ({ at: 'absent', from, failures });

/** One is kept while every seat is served, of the newest generation, and none where nobody asks for it. */
export function keepStandby(pool: Pool, now: Millis): Outcome {
  const { standby, policy, generation, verdict } = pool;
  if (standby.at === 'absent' && verdict !== undefined) return only(pool);
  if (standby.at === 'absent')
    return standby.from <= now && wantsStandby(pool) ? loadStandby(pool, standby.failures, now) : only(pool);
  if (verdict !== undefined || !policy.standby || standby.generation !== generation)
    return dismiss(pool, standby, nobody(now), now);
  if (standby.at === 'waiting' || standby.deadline > now) return only(pool);
  return dismiss(pool, standby, afterFailure(standby.failures, now), now);
}

/** Whether this is the time to load one, once its delay is over. */
export function wantsStandby({ policy, reload, slots }: Pool): boolean {
  return (
    policy.standby && reload === undefined && slots.length > 0 && slots.every(({ at }) => at === 'ready')
  );
}

/** It is loaded. */
export function standbyLoaded(pool: Pool, worker: WorkerId): Pool {
  const { standby } = pool;
  if (standby.at !== 'loading' || standby.id !== worker) return pool;
  const { id, generation } = standby;
  return { ...pool, standby: { at: 'waiting', id, generation } };
}

/** It is gone, or could not even be forked. */
export function standbyLost(pool: Pool, worker: WorkerId, now: Millis): Pool {
  const { standby } = pool;
  if (standby.at === 'absent' || standby.id !== worker) return pool;
  const failures = standby.at === 'loading' ? standby.failures : 0;
  return { ...pool, standby: afterFailure(failures, now) };
}

function afterFailure(failures: number, now: Millis): Standby {
  return nobody(now + exponentialDelay(FIRST_DELAY_MS, failures + 1), failures + 1);
}

function loadStandby(pool: Pool, failures: number, now: Millis): Outcome {
  const { generation, policy } = pool;
  const id = pool.lastWorker + 1;
  const standby: Standby = {
    at: 'loading',
    id,
    generation,
    deadline: now + policy.listenTimeoutMs,
    failures,
  };
  return {
    pool: { ...pool, lastWorker: id, standby },
    effects: [{ type: 'fork', worker: id, slot: undefined, generation }],
  };
}

function dismiss(
  pool: Pool,
  leaver: Exclude<Standby, { at: 'absent' }>,
  standby: Standby,
  now: Millis,
): Outcome {
  return depart({ ...pool, standby }, [[undefined, leaver]], 'retire', now);
}
