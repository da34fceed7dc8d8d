/** A slot that nobody serves lends its socket to a worker that does, so that no connection waits in its queue. */
import type { Effect, Outcome, Pool, Serving, Slot, SlotId, WorkerId } from './model.js';
import { only } from './moves.js';

/** Every socket without a serving worker of its own is lent, and returned when it has one again. */
export function lendSockets(pool: Pool): Outcome {
  if (pool.verdict !== undefined)
    return pool.loans.size === 0 ? only(pool) : only({ ...pool, loans: new Map() });
  const able = pool.slots.filter(isServed).map(({ worker }) => worker.id);
  if (able.length === pool.sockets && pool.loans.size === 0) return only(pool);
  const serving = new Set(able);
  const wanted = wantedLoans(pool, able, serving);
  const lent = [...wanted].filter(([slot, to]) => pool.loans.get(slot) !== to);
  const over = [...pool.loans].filter(([slot]) => !wanted.has(slot));
  if (lent.length === 0 && over.length === 0) return only(pool);
  const returned = over.filter(([, from]) => serving.has(from));
  const effects: Effect[] = [
    ...lent.map(([slot, to]): Effect => ({ type: 'lend', slot, to })),
    ...returned.map(([slot, from]): Effect => ({ type: 'return', slot, from })),
  ];
  return { pool: { ...pool, loans: wanted }, effects };
}

/** Who should accept for whom: a loan stays where it is for as long as its borrower serves. */
function wantedLoans(
  { slots, loans, sockets }: Pool,
  able: readonly WorkerId[],
  serving: ReadonlySet<WorkerId>,
): Map<SlotId, WorkerId> {
  const wanted = new Map<SlotId, WorkerId>();
  for (let id = 0; id < sockets; id++) {
    const slot = slots[id];
    if (slot !== undefined && isServed(slot)) continue;
    const current = loans.get(id);
    const borrower = current !== undefined && serving.has(current) ? current : able[id % able.length];
    if (borrower !== undefined) wanted.set(id, borrower);
  }
  return wanted;
}

/** Whether a worker holds this seat and serves. */
const isServed = (slot: Slot): slot is Extract<Slot, { worker: Serving }> =>
  slot.at === 'ready' || slot.at === 'replacing';
