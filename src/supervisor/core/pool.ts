/** The single changes that transitions and rules are made of. Each returns a new pool; none decides anything. */
import type {
  AbortReason,
  DrainingWorker,
  Effect,
  Exit,
  Generation,
  History,
  Millis,
  Notice,
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

/** The history of a slot that has had no worker yet. */
export const newHistory = (generation: Generation): History => ({
  generation,
  unstable: 0,
  forkFailures: 0,
  restarts: 0,
  restartedAt: [],
  exits: [],
  memoryRestartAt: undefined,
});

/** The same history with its failures cleared: a new build, or an operator's request, starts afresh. */
export const withoutFailures = (history: History): History => ({
  ...history,
  unstable: 0,
  forkFailures: 0,
  restartedAt: [],
});

/** How many exits a slot remembers. */
const MAX_EXITS = 10;

export const withExit = (history: History, exit: Exit): History => ({
  ...history,
  exits: [exit, ...history.exits.slice(0, MAX_EXITS - 1)],
});

export const withoutEffects = (pool: Pool): Outcome => ({ pool, effects: [], notices: [] });

export const noticing = (pool: Pool, ...notices: readonly Notice[]): Outcome => ({
  pool,
  effects: [],
  notices,
});

/** Runs `next` on what came out of `first`, and keeps the effects and notices of both in their order. */
export function andThen(first: Outcome, next: (pool: Pool) => Outcome): Outcome {
  const second = next(first.pool);
  return {
    pool: second.pool,
    effects: [...first.effects, ...second.effects],
    notices: [...first.notices, ...second.notices],
  };
}

export function withSlot(pool: Pool, id: SlotId, slot: Slot): Pool {
  return { ...pool, slots: pool.slots.with(id, slot) };
}

/** The policy that holds for a worker of this generation. */
export function policyOf({ policy, reload }: Pool, generation: Generation): Policy {
  return reload?.target === generation ? reload.policy : policy;
}

/** A new worker for a slot; the caller puts it there. */
export function fork(
  pool: Pool,
  slot: SlotId,
  generation: Generation,
  now: Millis,
): Outcome & { readonly worker: Starting } {
  const id = pool.lastWorker + 1;
  const deadline = now + policyOf(pool, generation).listenTimeoutMs;
  return {
    worker: { at: 'starting', id, generation, forkedAt: now, deadline, failure: undefined },
    pool: { ...pool, lastWorker: id },
    effects: [{ type: 'fork', worker: id, slot, generation }],
    notices: [],
  };
}

/** Orders workers to drain; the caller takes them out of their slots. */
export function drain(
  pool: Pool,
  workers: readonly (readonly [SlotId, Starting | Serving])[],
  how: 'stop' | 'retire',
  now: Millis,
): Outcome {
  const draining = workers.map(([slot, { id, generation }]): DrainingWorker => {
    return { id, slot, generation, deadline: now + policyOf(pool, generation).killTimeoutMs, ordered: true };
  });
  return {
    pool: { ...pool, draining: [...pool.draining, ...draining] },
    effects: workers.map(([, { id }]): Effect => ({ type: 'order', worker: id, how })),
    notices: [],
  };
}

/** Forks a worker of this generation into an empty slot. */
export function startWorker(
  pool: Pool,
  id: SlotId,
  generation: Generation,
  before: History,
  now: Millis,
): Outcome {
  const { worker, ...forked } = fork(pool, id, generation, now);
  const history = { ...before, generation };
  return { ...forked, pool: withSlot(forked.pool, id, { at: 'starting', history, worker }) };
}

/** Ends a reload and, if another was requested meanwhile, loads the app file again. */
export function endReload(pool: Pool, aborted: AbortReason | undefined): Outcome {
  if (pool.reload === undefined) return withoutEffects(pool);
  const ended: Outcome = {
    pool: { ...pool, reload: undefined },
    effects: [{ type: 'reload.ended', aborted }],
    notices: [],
  };
  return andThen(ended, loadAgainIfRequested);
}

/** Has the app file read again. */
export const load = (pool: Pool): Outcome => ({
  pool: { ...pool, loading: true, reloadAgain: false },
  effects: [{ type: 'load' }],
  notices: [],
});

export const loadAgainIfRequested = (pool: Pool): Outcome =>
  pool.reloadAgain ? load(pool) : withoutEffects(pool);

/** Gives up a reload: successors that have not proved themselves drain, and the old workers keep their slots. */
export function abortReload(pool: Pool, reason: AbortReason, now: Millis): Outcome {
  const successors = pool.slots.flatMap((slot, id) =>
    slot.at === 'replacing' && slot.why.type === 'reload' ? [[id, slot.successor] as const] : [],
  );
  const slots = pool.slots.map((slot): Slot => {
    if (slot.at !== 'replacing' || slot.why.type !== 'reload') return slot;
    return { at: 'ready', history: slot.history, worker: slot.worker };
  });
  return andThen(drain({ ...pool, slots }, successors, 'retire', now), rest => endReload(rest, reason));
}

/** The service ends: every slot is cleared and every worker drains, the successors of a reload first. */
export function stopAll(pool: Pool, verdict: Verdict, how: 'stop' | 'retire', now: Millis): Outcome {
  const successors = pool.slots.flatMap((slot, id) =>
    slot.at === 'replacing' ? [[id, slot.successor] as const] : [],
  );
  const current = pool.slots.flatMap((slot, id) => ('worker' in slot ? [[id, slot.worker] as const] : []));
  const drained = drain(pool, [...successors, ...current], how, now);
  const cleared = { ...drained.pool, slots: [], reloadAgain: false, verdict };
  return andThen({ ...drained, pool: cleared }, rest => endReload(rest, { type: 'service-stops' }));
}

/** The workers of a slot: none, one, or the old one and its successor. */
export function workersOf(slot: Slot): readonly (Starting | Serving)[] {
  if (slot.at === 'replacing') return [slot.worker, slot.successor];
  return slot.at === 'starting' || slot.at === 'ready' ? [slot.worker] : [];
}

/** Where a worker is: the current worker of a slot … */
export interface LocatedCurrent {
  readonly role: 'current';
  readonly id: SlotId;
  readonly slot: Extract<Slot, { worker: unknown }>;
}

/** … or its successor. */
export interface LocatedSuccessor {
  readonly role: 'successor';
  readonly id: SlotId;
  readonly slot: Extract<Slot, { at: 'replacing' }>;
}

export type Located = LocatedCurrent | LocatedSuccessor;

export const workerAt = (place: Located): Starting | Serving =>
  place.role === 'current' ? place.slot.worker : place.slot.successor;

/** The slot of a worker; `undefined` if it drains or is unknown. */
export function locate(pool: Pool, worker: WorkerId): Located | undefined {
  for (const [id, slot] of pool.slots.entries()) {
    if ('worker' in slot && slot.worker.id === worker) return { role: 'current', id, slot };
    if (slot.at === 'replacing' && slot.successor.id === worker) return { role: 'successor', id, slot };
  }
  return undefined;
}

/** The pool with a change to one worker in its slot; the same pool where `change` returns `undefined`. */
export function updateWorker(
  pool: Pool,
  id: WorkerId,
  change: (worker: Starting | Serving) => Starting | Serving | undefined,
): Pool {
  const place = locate(pool, id);
  const changed = place && change(workerAt(place));
  if (place === undefined || changed === undefined) return pool;
  if (place.role === 'successor') return withSlot(pool, place.id, { ...place.slot, successor: changed });
  const { slot } = place;
  if (changed.at === 'starting')
    return withSlot(pool, place.id, { at: 'starting', history: slot.history, worker: changed });
  return slot.at === 'replacing'
    ? withSlot(pool, place.id, { ...slot, worker: changed })
    : withSlot(pool, place.id, { at: 'ready', history: slot.history, worker: changed });
}

/**
 * How many workers there are to be once this generation serves. A number set by `scale` holds until the file's number
 * changes.
 */
export function wantedFor({ wanted, fromFile, reload }: Pool, generation: Generation): number {
  return reload === undefined || reload.target !== generation || reload.instances === fromFile
    ? wanted
    : reload.instances;
}
