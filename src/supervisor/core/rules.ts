/**
 * The rules that hold for the pool as a whole. Each is a sentence and one change; each returns the very same pool
 * when it has nothing to say. `step` runs them in this order until none of them has.
 */
import { becomeReady, promoted, startsTimedOut, successorTimedOut } from './transitions.js';
import { lendSockets } from './lending.js';
import type { Effect, Millis, Outcome, Pool, Serving, Slot, SlotId, Starting, Verdict } from './model.js';
import {
  andThen,
  depart,
  endReload,
  forgiven,
  fork,
  newHistory,
  only,
  policyOf,
  seat,
  withSlot,
  workerIn,
  type MainSeat,
  type Seat,
  type SuccessorSeat,
} from './pool.js';
import { isPendingCanary, provedAt, workersOf } from './wake.js';

type Rule = (pool: Pool, now: Millis) => Outcome;

/** Workers that are not ready at their deadline have failed; without `wait_ready`, being alive then is enough. */
function judgeOverdueStarts(pool: Pool, now: Millis): Outcome {
  const isOverdue = (worker: Starting | Serving): worker is Starting =>
    worker.at === 'starting' && worker.deadline <= now;
  const mains: MainSeat[] = [];
  const successors: SuccessorSeat[] = [];
  for (const [id, slot] of pool.slots.entries()) {
    if (slot.at === 'starting' && isOverdue(slot.worker)) mains.push({ role: 'main', id, slot });
    if (slot.at === 'replacing' && isOverdue(slot.successor))
      successors.push({ role: 'successor', id, slot });
  }
  if (mains.length === 0 && successors.length === 0) return only(pool);
  const mayBeSilent = (one: Seat): boolean => !policyOf(pool, workerIn(one).generation).waitReady;
  const alive = [...mains, ...successors]
    .filter(mayBeSilent)
    .reduce((rest, one) => becomeReady(rest, workerIn(one).id, now), pool);
  const late = mains.filter(one => !mayBeSilent(one));
  const judged = late.length === 0 ? only(alive) : startsTimedOut(alive, late, now);
  return successors.reduce((outcome, one) => {
    // The failure of another may have cost it its seat, where both belonged to a reload.
    const isSeated = outcome.pool.slots[one.id] === one.slot;
    return isSeated ? andThen(outcome, rest => successorTimedOut(rest, one, now)) : outcome;
  }, judged);
}

/** Whoever has been told to leave and is still here at its deadline is killed. */
function killOverstayer(pool: Pool, now: Millis): Outcome {
  const overdue = pool.departing.filter(({ deadline }) => deadline !== undefined && deadline <= now);
  if (overdue.length === 0) return only(pool);
  const departing = pool.departing.map(worker =>
    overdue.includes(worker) ? { ...worker, deadline: undefined } : worker,
  );
  return {
    pool: { ...pool, departing },
    effects: overdue.map(({ id }): Effect => ({ type: 'kill', worker: id })),
  };
}

/** A canary that has stayed up long enough makes its generation the one that every new worker gets. */
function trustCanary(pool: Pool, now: Millis): Outcome {
  const { reload } = pool;
  if (reload?.canary !== 'pending') return only(pool);
  const proved = pool.slots
    .flatMap(workersOf)
    .some(worker => worker.at === 'serving' && provedAt(pool, worker) <= now);
  if (!proved) return only(pool);
  const { policy, target: generation, instances } = reload;
  const wanted = instances === pool.fromFile ? pool.wanted : instances;
  return only({
    ...pool,
    policy,
    generation,
    wanted,
    fromFile: instances,
    reload: { ...reload, canary: 'passed' },
  });
}

/** An old worker is retired once its successor serves and is trusted. */
function retireReplaced(pool: Pool, now: Millis): Outcome {
  for (const [id, slot] of pool.slots.entries()) {
    if (slot.at !== 'replacing' || slot.successor.at !== 'serving' || isPendingCanary(pool, slot.successor))
      continue;
    const left = depart(pool, [[id, slot.worker]], 'retire', now);
    return { ...left, pool: withSlot(left.pool, id, promoted(slot, slot.history)) };
  }
  return only(pool);
}

/** There are as many slots as wanted; the highest numbers go first. */
function resize(pool: Pool, now: Millis): Outcome {
  const { slots, wanted, verdict, generation } = pool;
  if (verdict !== undefined || slots.length === wanted) return only(pool);
  if (slots.length < wanted) {
    const vacant = (): Slot => ({ at: 'vacant', history: newHistory(generation) });
    const added = Array.from({ length: wanted - slots.length }, vacant);
    return only({ ...pool, slots: [...slots, ...added], sockets: Math.max(pool.sockets, wanted) });
  }
  const leavers = slots.flatMap((slot, id) =>
    id < wanted ? [] : workersOf(slot).map(worker => [id, worker] as const),
  );
  const left = depart(pool, leavers, 'retire', now);
  return { ...left, pool: { ...left.pool, slots: slots.slice(0, wanted) } };
}

/** An empty seat gets a worker: at once if nothing stands against it, else when its backoff is over. */
function fill(pool: Pool, now: Millis): Outcome {
  const isDue = (slot: Slot): boolean => slot.at === 'vacant' || (slot.at === 'backoff' && slot.until <= now);
  if (pool.verdict !== undefined || !pool.slots.some(isDue)) return only(pool);
  const { generation } = pool;
  const deadline = now + policyOf(pool, generation).listenTimeoutMs;
  const effects: Effect[] = [];
  let { lastWorker } = pool;
  const slots = pool.slots.map((slot, id): Slot => {
    if (!isDue(slot)) return slot;
    effects.push({ type: 'fork', worker: ++lastWorker, slot: id, generation });
    const restarts = slot.history.restarts + (slot.at === 'backoff' ? 1 : 0);
    const worker: Starting = { at: 'starting', id: lastWorker, generation, deadline, failure: undefined };
    return { at: 'starting', history: { ...slot.history, generation, restarts }, worker };
  });
  return { pool: { ...pool, lastWorker, slots }, effects };
}

/** A reload renews one slot at a time, lowest first, and goes on only when the one before serves. */
function rollOn(pool: Pool, now: Millis): Outcome {
  const { reload } = pool;
  if (reload === undefined || pool.slots.some(slot => isBusy(pool, slot))) return only(pool);
  const id = pool.slots.findIndex(({ history }) => history.generation !== reload.target);
  const slot = pool.slots[id];
  return slot === undefined ? only(pool) : renew(pool, id, slot, reload.target, now);
}

/** Whether this slot keeps a reload from touching the next one. */
function isBusy(pool: Pool, slot: Slot): boolean {
  if (slot.at === 'replacing') return true;
  return workersOf(slot).some(
    worker =>
      isRenewed(pool, worker.generation) && (worker.at === 'starting' || isPendingCanary(pool, worker)),
  );
}

const isRenewed = ({ reload }: Pool, generation: number): boolean => generation === reload?.target;

/** Gives a slot its worker of the new generation; whoever serves keeps serving until that one does. */
function renew(pool: Pool, id: SlotId, slot: Slot, target: number, now: Millis): Outcome {
  const { history } = slot;
  if (slot.at === 'ready') {
    const { worker: successor, ...forked } = fork(pool, id, target, now);
    const next: Slot = { at: 'replacing', history, worker: slot.worker, successor, why: 'reload' };
    return { ...forked, pool: withSlot(forked.pool, id, next) };
  }
  const left = slot.at === 'starting' ? depart(pool, [[id, slot.worker]], 'retire', now) : only(pool);
  return andThen(left, rest => seat(rest, id, target, forgiven(history), now));
}

/** A reload is over when every slot is renewed and no worker of an older build is left. */
function finishReload(pool: Pool): Outcome {
  const { reload, slots, departing } = pool;
  if (reload?.canary !== 'passed') return only(pool);
  const over =
    slots.every(slot => slot.history.generation === reload.target && !isBusy(pool, slot)) &&
    departing.every(({ generation }) => isRenewed(pool, generation));
  return over ? endReload(pool, undefined) : only(pool);
}

/** When no slot will ever serve again, the service ends and says why. */
function giveUp(pool: Pool): Outcome {
  const { slots, verdict } = pool;
  const ends = slots.filter(isEnd);
  if (verdict !== undefined || slots.length === 0 || ends.length < slots.length) return only(pool);
  return only({ ...pool, reloadAgain: false, verdict: judge(ends, pool.everReady) });
}

type End = Extract<Slot, { at: 'stopped' | 'errored' }>;
const isEnd = (slot: Slot): slot is End => slot.at === 'stopped' || slot.at === 'errored';

/** The exit codes 0, 3, 4, 5 and 6 of `EXIT` in errors.ts, from how the slots ended. */
function judge(ends: readonly End[], everReady: boolean): Verdict {
  const worst = ends.find(({ exit }) => exit.code !== 0)?.exit;
  if (worst === undefined && ends.every(({ at }) => at === 'stopped')) return { code: 0, exit: undefined };
  const exit = worst ?? ends[0]?.exit;
  const announced = new Set(
    ends.map(({ at, exit: last }) => (at === 'stopped' ? last.failure?.code : undefined)),
  );
  if (announced.size === 1 && (announced.has(5) || announced.has(6)))
    return { code: announced.has(5) ? 5 : 6, exit };
  const neverReady = !everReady && ends.every(({ at }) => at === 'errored');
  return { code: neverReady ? 3 : 4, exit };
}

/** The service is over when its last worker has left. */
function end(pool: Pool): Outcome {
  const { verdict, ended, departing } = pool;
  if (verdict === undefined || ended || departing.length > 0) return only(pool);
  return { pool: { ...pool, ended: true }, effects: [{ type: 'exit', verdict }] };
}

export const RULES: readonly Rule[] = [
  judgeOverdueStarts,
  killOverstayer,
  trustCanary,
  retireReplaced,
  resize,
  rollOn,
  // Before any fork, which takes a while: connections wait in the queue of whoever is gone.
  lendSockets,
  fill,
  finishReload,
  giveUp,
  end,
];
