/**
 * The rules that hold for the pool as a whole. Each is a sentence and one change; each returns the very same pool
 * when it changes nothing. `step` runs them in this order until none changes anything.
 */
import { lendSockets } from './lending.js';
import type {
  Effect,
  History,
  Millis,
  Notice,
  Outcome,
  Pool,
  Serving,
  Slot,
  SlotId,
  Starting,
  Verdict,
} from './model.js';
import {
  andThen,
  drain,
  endReload,
  fork,
  newHistory,
  noticing,
  policyOf,
  startWorker,
  updateWorker,
  withExit,
  withoutEffects,
  withoutFailures,
  wantedFor,
  withSlot,
  workerAt,
  workersOf,
  type Located,
  type LocatedCurrent,
  type LocatedSuccessor,
} from './pool.js';
import { becomeReady, startsTimedOut, successorAlone, successorTimedOut } from './transitions.js';
import { hungAt, isPendingCanary, provedAt, RECENT_MS } from './wake.js';

type Rule = (pool: Pool, now: Millis) => Outcome;

/** Workers that are not ready at their deadline have failed; without `wait_ready`, being alive then is enough. */
function failOverdueStarts(pool: Pool, now: Millis): Outcome {
  const { current, successors } = overdueStarts(pool, now);
  if (current.length === 0 && successors.length === 0) return withoutEffects(pool);
  const isReadyWhenAlive = (place: Located): boolean => !policyOf(pool, workerAt(place).generation).waitReady;
  const alive = [...current, ...successors]
    .filter(isReadyWhenAlive)
    .reduce((rest, place) => becomeReady(rest, workerAt(place).id, now), pool);
  const late = current.filter(place => !isReadyWhenAlive(place));
  const judged = late.length === 0 ? withoutEffects(alive) : startsTimedOut(alive, late, now);
  return successors.reduce((outcome, place) => {
    // An abort for another worker's failure may already have taken this successor out of its slot.
    const isUnchanged = outcome.pool.slots[place.id] === place.slot;
    return isUnchanged ? andThen(outcome, rest => successorTimedOut(rest, place, now)) : outcome;
  }, judged);
}

function overdueStarts(
  { slots }: Pool,
  now: Millis,
): { readonly current: readonly LocatedCurrent[]; readonly successors: readonly LocatedSuccessor[] } {
  const isOverdue = (worker: Starting | Serving): worker is Starting =>
    worker.at === 'starting' && worker.deadline <= now;
  const current: LocatedCurrent[] = [];
  const successors: LocatedSuccessor[] = [];
  for (const [id, slot] of slots.entries()) {
    if (slot.at === 'starting' && isOverdue(slot.worker)) current.push({ role: 'current', id, slot });
    if (slot.at === 'replacing' && isOverdue(slot.successor))
      successors.push({ role: 'successor', id, slot });
  }
  return { current, successors };
}

/** A draining worker that is still there at its deadline is killed. */
function killOverdue(pool: Pool, now: Millis): Outcome {
  const overdue = pool.draining.filter(({ deadline }) => deadline !== undefined && deadline <= now);
  if (overdue.length === 0) return withoutEffects(pool);
  const draining = pool.draining.map(worker =>
    overdue.includes(worker) ? { ...worker, deadline: undefined } : worker,
  );
  return {
    pool: { ...pool, draining },
    effects: overdue.map(({ id }): Effect => ({ type: 'kill', worker: id })),
    notices: [],
  };
}

/** A worker that has been unresponsive for long enough is hung, and reported. */
function reportHangs(pool: Pool, now: Millis): Outcome {
  const isDue = (worker: Starting | Serving): boolean => worker.at === 'serving' && hungAt(worker) <= now;
  const hasHung = (slot: Slot): boolean =>
    'worker' in slot && (isDue(slot.worker) || (slot.at === 'replacing' && isDue(slot.successor)));
  if (!pool.slots.some(hasHung)) return withoutEffects(pool);
  let next = pool;
  const notices: Notice[] = [];
  for (const worker of pool.slots.flatMap(workersOf)) {
    if (worker.at !== 'serving' || worker.unresponsive === undefined || hungAt(worker) > now) continue;
    const { since } = worker.unresponsive;
    next = updateWorker(next, worker.id, () => ({ ...worker, unresponsive: { since, isHung: true } }));
    notices.push({ type: 'hang.begun', worker: worker.id, hungMs: now - since });
  }
  return noticing(next, ...notices);
}

/** A restart counts as recent for a minute. */
function dropOldRestarts(pool: Pool, now: Millis): Outcome {
  const isRecent = (at: Millis): boolean => now - at < RECENT_MS;
  const hasOld = ({ history }: Slot): boolean => !isRecent(history.restartedAt[0] ?? now);
  if (!pool.slots.some(hasOld)) return withoutEffects(pool);
  const slots = pool.slots.map(slot => {
    if (!hasOld(slot)) return slot;
    return { ...slot, history: { ...slot.history, restartedAt: slot.history.restartedAt.filter(isRecent) } };
  });
  return withoutEffects({ ...pool, slots });
}

/** A canary that has stayed up long enough, or has done its job, makes its generation the one that every new worker gets. */
function trustCanary(pool: Pool, now: Millis): Outcome {
  const { reload } = pool;
  if (reload?.canary !== 'pending') return withoutEffects(pool);
  const proved = pool.slots
    .flatMap(workersOf)
    .some(worker => worker.at === 'serving' && provedAt(pool, worker) <= now);
  // Any other exit would have aborted the reload.
  const done = pool.slots.some(({ at, history }) => at === 'stopped' && history.generation === reload.target);
  if (!proved && !done) return withoutEffects(pool);
  const { policy, target: generation, instances } = reload;
  const wanted = wantedFor(pool, generation);
  return withoutEffects({
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
    const { history, worker, why } = slot;
    const left = drain(pool, [[id, worker]], 'retire', now);
    const exit = { worker: worker.id, code: null, signal: null };
    const remembered =
      why.type === 'reload'
        ? history
        : withExit(history, { ...exit, cause: { ...why, type: 'memory-limit' } });
    return { ...left, pool: withSlot(left.pool, id, successorAlone(slot, remembered)) };
  }
  return withoutEffects(pool);
}

/** There are as many slots as wanted; the highest numbers go first. */
function resize(pool: Pool, now: Millis): Outcome {
  const { slots, wanted, verdict, generation } = pool;
  if (verdict !== undefined || slots.length === wanted) return withoutEffects(pool);
  if (slots.length < wanted) {
    const vacant = (): Slot => ({ at: 'vacant', history: newHistory(generation) });
    const added = Array.from({ length: wanted - slots.length }, vacant);
    return withoutEffects({ ...pool, slots: [...slots, ...added], sockets: Math.max(pool.sockets, wanted) });
  }
  const workers = slots.flatMap((slot, id) =>
    id < wanted ? [] : workersOf(slot).map(worker => [id, worker] as const),
  );
  const left = drain(pool, workers, 'retire', now);
  return { ...left, pool: { ...left.pool, slots: slots.slice(0, wanted) } };
}

/** An empty slot gets a worker: at once, or when its backoff is over. */
function fillSlots(pool: Pool, now: Millis): Outcome {
  const isDue = (slot: Slot): boolean => slot.at === 'vacant' || (slot.at === 'backoff' && slot.until <= now);
  if (pool.verdict !== undefined || !pool.slots.some(isDue)) return withoutEffects(pool);
  const { generation } = pool;
  const deadline = now + policyOf(pool, generation).listenTimeoutMs;
  const effects: Effect[] = [];
  let { lastWorker } = pool;
  const slots = pool.slots.map((slot, id): Slot => {
    if (!isDue(slot)) return slot;
    effects.push({ type: 'fork', worker: ++lastWorker, slot: id, generation });
    const worker: Starting = {
      at: 'starting',
      id: lastWorker,
      generation,
      forkedAt: now,
      deadline,
      failure: undefined,
    };
    const history = slot.at === 'backoff' ? counted(slot.history, now) : slot.history;
    return { at: 'starting', history: { ...history, generation }, worker };
  });
  return { pool: { ...pool, lastWorker, slots }, effects, notices: [] };
}

const counted = (history: History, now: Millis): History => ({
  ...history,
  restarts: history.restarts + 1,
  restartedAt: [...history.restartedAt, now],
});

/** A reload renews one slot at a time, lowest first, and goes on only when the one before serves. */
function continueReload(pool: Pool, now: Millis): Outcome {
  const { reload } = pool;
  if (reload === undefined || pool.slots.some(slot => isBusy(pool, slot))) return withoutEffects(pool);
  const id = pool.slots.findIndex(({ history }) => history.generation !== reload.target);
  const slot = pool.slots[id];
  return slot === undefined ? withoutEffects(pool) : renew(pool, id, slot, reload.target, now);
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

/** Gives a slot a worker of the new generation; a serving worker keeps serving until that one does. */
function renew(pool: Pool, id: SlotId, slot: Slot, target: number, now: Millis): Outcome {
  const { history } = slot;
  if (slot.at === 'ready') {
    const { worker: successor, ...forked } = fork(pool, id, target, now);
    const next: Slot = { at: 'replacing', history, worker: slot.worker, successor, why: { type: 'reload' } };
    return { ...forked, pool: withSlot(forked.pool, id, next) };
  }
  const drained =
    slot.at === 'starting' ? drain(pool, [[id, slot.worker]], 'retire', now) : withoutEffects(pool);
  return andThen(drained, rest => startWorker(rest, id, target, withoutFailures(history), now));
}

/** A reload is over when every slot is renewed and no worker of an older build is left. */
function finishReload(pool: Pool): Outcome {
  const { reload, slots, draining } = pool;
  if (reload?.canary !== 'passed') return withoutEffects(pool);
  const over =
    slots.every(slot => slot.history.generation === reload.target && !isBusy(pool, slot)) &&
    draining.every(({ generation }) => isRenewed(pool, generation));
  return over ? endReload(pool, undefined) : withoutEffects(pool);
}

/** When no slot will ever serve again, the service ends and says why. A job waits for its next time. */
function giveUp(pool: Pool): Outcome {
  const { policy, slots, verdict } = pool;
  const ends = slots.filter(isFinal);
  if (verdict !== undefined || policy.isJob || slots.length === 0 || ends.length < slots.length)
    return withoutEffects(pool);
  return withoutEffects({ ...pool, reloadAgain: false, verdict: verdictOf(ends, pool.everReady) });
}

type Final = Extract<Slot, { at: 'stopped' | 'errored' }>;
const isFinal = (slot: Slot): slot is Final => slot.at === 'stopped' || slot.at === 'errored';

/** The exit codes 0, 3, 4, 5 and 6 of `protocol/exit-codes.ts`, from how the slots ended. */
function verdictOf(ends: readonly Final[], everReady: boolean): Verdict {
  const worst = ends.find(({ exit }) => exit.code !== 0)?.exit;
  if (worst === undefined && ends.every(({ at }) => at === 'stopped')) return { code: 0, exit: undefined };
  const exit = worst ?? ends[0]?.exit;
  const announced = new Set(
    ends.map(({ at, exit: { cause } }) =>
      at === 'stopped' && cause?.type === 'boot-failed' ? cause.code : undefined,
    ),
  );
  if (announced.size === 1 && (announced.has(5) || announced.has(6)))
    return { code: announced.has(5) ? 5 : 6, exit };
  const neverReady = !everReady && ends.every(({ at }) => at === 'errored');
  return { code: neverReady ? 3 : 4, exit };
}

/** The service is over when its last worker has left. */
function end(pool: Pool): Outcome {
  const { verdict, ended, draining } = pool;
  if (verdict === undefined || ended || draining.length > 0) return withoutEffects(pool);
  return { pool: { ...pool, ended: true }, effects: [{ type: 'exit', verdict }], notices: [] };
}

export const RULES: readonly Rule[] = [
  failOverdueStarts,
  killOverdue,
  reportHangs,
  dropOldRestarts,
  trustCanary,
  retireReplaced,
  resize,
  continueReload,
  // Before any fork, which takes a while: connections wait in the queues of lost workers.
  lendSockets,
  fillSlots,
  finishReload,
  giveUp,
  end,
];
