/** The single changes that reactions and rules are made of. Each returns a new pool; none decides anything. */
import type {
  Departing,
  Effect,
  Generation,
  History,
  Millis,
  Outcome,
  Policy,
  Pool,
  Serving,
  Slot,
  SlotId,
  Starting,
  Verdict,
  WorkerId,
} from './model.js';

/** What is remembered of a seat in which nobody has sat yet. */
export const newHistory = (generation: Generation): History => ({
  generation,
  unstable: 0,
  forkFailures: 0,
  restarts: 0,
  lastExit: undefined,
  recycledAt: undefined,
});

/** The same memory with its counters of failure cleared: a new build, or an operator's wish, starts afresh. */
export const forgiven = (history: History): History => ({ ...history, unstable: 0, forkFailures: 0 });

/** Nothing to do about this pool. */
export const only = (pool: Pool): Outcome => ({ pool, effects: [] });

/** Runs `next` on what came out of `first`, and keeps the effects of both in their order. */
export function andThen(first: Outcome, next: (pool: Pool) => Outcome): Outcome {
  const second = next(first.pool);
  return { pool: second.pool, effects: [...first.effects, ...second.effects] };
}

export function withSlot(pool: Pool, id: SlotId, slot: Slot): Pool {
  return { ...pool, slots: pool.slots.with(id, slot) };
}

/** The policy a worker of this generation lives under. */
export function policyOf({ policy, reload }: Pool, generation: Generation): Policy {
  return reload?.target === generation ? reload.policy : policy;
}

/** A new worker for a slot; the caller gives it a seat. */
export function fork(
  pool: Pool,
  slot: SlotId,
  generation: Generation,
  now: Millis,
): Outcome & { readonly worker: Starting } {
  const id = pool.lastWorker + 1;
  const deadline = now + policyOf(pool, generation).listenTimeoutMs;
  return {
    worker: { at: 'starting', id, generation, deadline, failure: undefined },
    pool: { ...pool, lastWorker: id },
    effects: [{ type: 'fork', worker: id, slot, generation }],
  };
}

/** Tells workers to leave; the caller gives their seats to somebody else. */
export function depart(
  pool: Pool,
  leavers: readonly (readonly [SlotId, Starting | Serving])[],
  how: 'stop' | 'retire',
  now: Millis,
): Outcome {
  const departing = leavers.map(([slot, { id, generation }]): Departing => {
    return { id, slot, generation, deadline: now + policyOf(pool, generation).killTimeoutMs, ordered: true };
  });
  return {
    pool: { ...pool, departing: [...pool.departing, ...departing] },
    effects: leavers.map(([, { id }]): Effect => ({ type: 'order', worker: id, how })),
  };
}

/** A slot gets a new worker of this generation into its empty seat. */
export function seat(pool: Pool, id: SlotId, generation: Generation, memory: History, now: Millis): Outcome {
  const { worker, ...forked } = fork(pool, id, generation, now);
  const history = { ...memory, generation };
  return { ...forked, pool: withSlot(forked.pool, id, { at: 'starting', history, worker }) };
}

/** Closes the books of a reload and, if another was asked for meanwhile, asks for the file again. */
export function endReload(pool: Pool, aborted: string | undefined): Outcome {
  if (pool.reload === undefined) return only(pool);
  const effects: Effect[] = [{ type: 'reload.ended', aborted }];
  if (pool.reloadAgain) effects.push({ type: 'reread' });
  return { pool: { ...pool, reload: undefined, reloadAgain: false }, effects };
}

/** Gives a reload up: an old worker whose successor has not proved itself has its seat back to itself. */
export function abortReload(pool: Pool, reason: string, now: Millis): Outcome {
  const doubted = pool.slots.flatMap((slot, id) =>
    slot.at === 'replacing' && slot.why === 'reload' ? [[id, slot.successor] as const] : [],
  );
  const slots = pool.slots.map((slot): Slot => {
    if (slot.at !== 'replacing' || slot.why !== 'reload') return slot;
    return { at: 'ready', history: slot.history, worker: slot.worker };
  });
  const left = depart({ ...pool, slots }, doubted, 'retire', now);
  return andThen(left, rest => endReload(rest, reason));
}

/** The service ends: every seat is cleared and everybody told to drain, the successors of a reload first. */
export function stopAll(pool: Pool, verdict: Verdict, now: Millis): Outcome {
  const successors = pool.slots.flatMap((slot, id) =>
    slot.at === 'replacing' ? [[id, slot.successor] as const] : [],
  );
  const seated = pool.slots.flatMap((slot, id) => ('worker' in slot ? [[id, slot.worker] as const] : []));
  const left = depart(pool, [...successors, ...seated], 'stop', now);
  const cleared = { ...left.pool, slots: [], reloadAgain: false, verdict };
  return andThen({ ...left, pool: cleared }, rest => endReload(rest, 'the service stops'));
}

/** Where a worker sits: alone or as the one to be replaced … */
export interface MainSeat {
  readonly role: 'main';
  readonly id: SlotId;
  readonly slot: Extract<Slot, { worker: unknown }>;
}

/** … or as the successor. */
export interface SuccessorSeat {
  readonly role: 'successor';
  readonly id: SlotId;
  readonly slot: Extract<Slot, { at: 'replacing' }>;
}

export type Seat = MainSeat | SuccessorSeat;

/** Who sits in this seat. */
export const workerIn = (one: Seat): Starting | Serving =>
  one.role === 'main' ? one.slot.worker : one.slot.successor;

/** The seat of a worker; `undefined` if it departs or is unknown. */
export function seatOf(pool: Pool, worker: WorkerId): Seat | undefined {
  for (const [id, slot] of pool.slots.entries()) {
    if ('worker' in slot && slot.worker.id === worker) return { role: 'main', id, slot };
    if (slot.at === 'replacing' && slot.successor.id === worker) return { role: 'successor', id, slot };
  }
  return undefined;
}
