/**
 * A slot whose worker does not accept, because it has none or its event loop is blocked, lends its socket to a worker
 * that does, so that no connection waits in its queue.
 */
import type { Effect, Outcome, Pool, Slot, SlotId, WorkerId } from './model.js';
import { withoutEffects, workersOf } from './pool.js';

/** Every socket without an accepting worker of its own is lent, and returned when it has one again. */
export function lendSockets(pool: Pool): Outcome {
  if (pool.verdict !== undefined)
    return pool.lent.size === 0 ? withoutEffects(pool) : withoutEffects({ ...pool, lent: new Map() });
  const responsive = pool.slots.map(acceptorOf);
  // If no worker is responsive, the machine is starved: workers that accept slowly are better than none.
  const acceptors = responsive.some(id => id !== undefined) ? responsive : pool.slots.map(listenerOf);
  const able = acceptors.filter(id => id !== undefined);
  if (able.length === pool.sockets && pool.lent.size === 0) return withoutEffects(pool);
  const wanted = wantedBorrowers(pool, acceptors, able);
  const added = [...wanted].filter(([slot, to]) => pool.lent.get(slot) !== to);
  const over = [...pool.lent].filter(([slot, from]) => wanted.get(slot) !== from);
  if (added.length === 0 && over.length === 0) return withoutEffects(pool);
  const returned = over.filter(([, from]) => isServing(pool, from));
  const effects: Effect[] = [
    ...added.map(([slot, to]): Effect => ({ type: 'lend', slot, to })),
    ...returned.map(([slot, from]): Effect => ({ type: 'return', slot, from })),
  ];
  return { pool: { ...pool, lent: wanted }, effects, notices: [] };
}

/** The borrower of each slot's socket that is to be lent: it keeps the socket as long as it accepts. */
function wantedBorrowers(
  { lent, sockets }: Pool,
  acceptors: readonly (WorkerId | undefined)[],
  able: readonly WorkerId[],
): Map<SlotId, WorkerId> {
  const wanted = new Map<SlotId, WorkerId>();
  for (let slot = 0; slot < sockets; slot++) {
    if (acceptors[slot] !== undefined) continue;
    const current = lent.get(slot);
    const borrower = current !== undefined && able.includes(current) ? current : able[slot % able.length];
    if (borrower !== undefined) wanted.set(slot, borrower);
  }
  return wanted;
}

/** The worker that accepts on the socket of this slot: its own, or a successor that already listens beside it. */
function acceptorOf(slot: Slot): WorkerId | undefined {
  if (slot.at !== 'ready' && slot.at !== 'replacing') return undefined;
  if (slot.worker.unresponsive === undefined) return slot.worker.id;
  if (slot.at === 'ready' || slot.successor.at === 'starting' || slot.successor.unresponsive !== undefined)
    return undefined;
  return slot.successor.id;
}

/** The worker that listens on the socket of this slot, however slowly it accepts. */
const listenerOf = (slot: Slot): WorkerId | undefined =>
  slot.at === 'ready' || slot.at === 'replacing' ? slot.worker.id : undefined;

/** Whether this worker serves, responsive or not: only a serving worker can give a socket back. */
function isServing({ slots }: Pool, id: WorkerId): boolean {
  return slots.flatMap(workersOf).some(worker => worker.id === id && worker.at === 'serving');
}
