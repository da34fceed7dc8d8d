/** When the core next has something to do by itself. */
import type { Millis, Pool, Serving, Starting } from './model.js';
import { policyOf, workersOf } from './pool.js';

/** A worker whose heartbeats have stopped for so long is hung. */
const HUNG_AFTER_MS = 5_000;

/** A restart counts as recent for so long. */
export const RECENT_MS = 60_000;

/** The earliest moment at which a `wake` changes anything; `undefined` = only another event can. */
export function nextWake(pool: Pool): Millis | undefined {
  if (pool.ended) return undefined;
  let earliest = Infinity;
  for (const moment of moments(pool)) if (moment < earliest) earliest = moment;
  return earliest === Infinity ? undefined : earliest;
}

function* moments(pool: Pool): Generator<Millis> {
  for (const { deadline } of pool.draining) if (deadline !== undefined) yield deadline;
  for (const slot of pool.slots) {
    if (slot.at === 'backoff') yield slot.until;
    const oldest = slot.history.restartedAt[0];
    if (oldest !== undefined) yield oldest + RECENT_MS;
    for (const worker of workersOf(slot)) {
      if (worker.at === 'starting') yield worker.deadline;
      else yield Math.min(provedAt(pool, worker), hungAt(worker));
    }
  }
}

/** Whether this worker is the first of a reload and must still show that it stays up. */
export function isPendingCanary({ reload }: Pool, worker: Starting | Serving): boolean {
  return reload?.canary === 'pending' && worker.generation === reload.target;
}

/** The moment at which a serving canary has stayed up long enough; for any other worker, never (`Infinity`). */
export function provedAt(pool: Pool, worker: Serving): Millis {
  const { minUptimeMs } = policyOf(pool, worker.generation);
  return isPendingCanary(pool, worker) ? worker.since + minUptimeMs : Infinity;
}

/** The moment at which an unresponsive worker becomes a hung one; for any other worker, never (`Infinity`). */
export function hungAt({ unresponsive }: Serving): Millis {
  return unresponsive === undefined || unresponsive.isHung ? Infinity : unresponsive.since + HUNG_AFTER_MS;
}
