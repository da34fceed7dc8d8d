/**
 * A slot on whose socket nobody accepts, because its seat is empty or its worker's loop is blocked, lends it to a
 * worker that does, so that no connection waits in its queue.
 */
import type { Effect, Outcome, Pool, Slot, SlotId, WorkerId } from './model.js';
import { only } from './pool.js';
import { workersOf } from './wake.js';

/** Every socket without an accepting worker of its own is lent, and returned when it has one again. */
export function lendSockets(pool: Pool): Outcome {
  if (pool.verdict !== undefined)
    return pool.loans.size === 0 ? only(pool) : only({ ...pool, loans: new Map() });
  const heard = pool.slots.map(acceptorOf);
  // Where all are silent the machine is starved: who accepts slowly is better than nobody.
  const acceptors = heard.some(id => id !== undefined) ? heard : pool.slots.map(listenerOf);
  const able = acceptors.filter(id => id !== undefined);
  if (able.length === pool.sockets && pool.loans.size === 0) return only(pool);
  const wanted = wantedLoans(pool, acceptors, able);
  const lent = [...wanted].filter(([slot, to]) => pool.loans.get(slot) !== to);
  const over = [...pool.loans].filter(([slot, from]) => wanted.get(slot) !== from);
  if (lent.length === 0 && over.length === 0) return only(pool);
  const returned = over.filter(([, from]) => isServing(pool, from));
  const effects: Effect[] = [
    ...lent.map(([slot, to]): Effect => ({ type: 'lend', slot, to })),
    ...returned.map(([slot, from]): Effect => ({ type: 'return', slot, from })),
  ];
  return { pool: { ...pool, loans: wanted }, effects };
}

/** Who should accept for whom: a loan stays where it is for as long as its borrower accepts. */
function wantedLoans(
  { loans, sockets }: Pool,
  acceptors: readonly (WorkerId | undefined)[],
  able: readonly WorkerId[],
): Map<SlotId, WorkerId> {
  const wanted = new Map<SlotId, WorkerId>();
  for (let slot = 0; slot < sockets; slot++) {
    if (acceptors[slot] !== undefined) continue;
    const current = loans.get(slot);
    const borrower = current !== undefined && able.includes(current) ? current : able[slot % able.length];
    if (borrower !== undefined) wanted.set(slot, borrower);
  }
  return wanted;
}

/** Who accepts on the socket of this slot: its worker, or a successor that listens beside it already. */
function acceptorOf(slot: Slot): WorkerId | undefined {
  if (slot.at !== 'ready' && slot.at !== 'replacing') return undefined;
  if (!slot.worker.silent) return slot.worker.id;
  if (slot.at === 'ready' || slot.successor.at === 'starting' || slot.successor.silent) return undefined;
  return slot.successor.id;
}

/** Who listens on the socket of this slot, however slow it is to accept. */
const listenerOf = (slot: Slot): WorkerId | undefined =>
  slot.at === 'ready' || slot.at === 'replacing' ? slot.worker.id : undefined;

/** Whether this worker serves, however it feels: only such a one can be asked to give a socket back. */
function isServing({ slots }: Pool, id: WorkerId): boolean {
  return slots.flatMap(workersOf).some(worker => worker.id === id && worker.at === 'serving');
}
