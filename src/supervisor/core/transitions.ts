/** What happens to one seat when its worker becomes ready, fails to, or ends. */
import type {
  BootFailure,
  Departing,
  Exit,
  History,
  Millis,
  Outcome,
  Pool,
  Serving,
  Slot,
  Starting,
  WorkerId,
} from './model.js';
import {
  abortReload,
  andThen,
  depart,
  only,
  policyOf,
  seatOf,
  stopAll,
  withSlot,
  workerIn,
  type MainSeat,
  type Seat,
  type SuccessorSeat,
} from './pool.js';
import { fate, forkFailureDelay } from './policy.js';
import { mistrustSentence } from './sentences.js';

/** Failures that no restart cures: an invalid configuration, a port that another process holds (`EXIT` in errors.ts). */
const INCURABLE = [5, 6];

/** A starting worker serves from now on. */
export function becomeReady(pool: Pool, id: WorkerId, now: Millis): Pool {
  const seat = seatOf(pool, id);
  if (seat === undefined) return pool;
  const serving = (worker: Starting): Serving => ({
    at: 'serving',
    id,
    generation: worker.generation,
    since: now,
    silent: false,
  });
  const ready = { ...pool, everReady: true };
  if (seat.role === 'successor') {
    const { successor } = seat.slot;
    return successor.at === 'starting'
      ? withSlot(ready, seat.id, { ...seat.slot, successor: serving(successor) })
      : pool;
  }
  const { slot } = seat;
  if (slot.at !== 'starting') return pool;
  return withSlot(ready, seat.id, { at: 'ready', history: slot.history, worker: serving(slot.worker) });
}

/** Keeps the reason a worker gives before it exits, so that its exit can be told with it. */
export function noteFailure(pool: Pool, id: WorkerId, failure: BootFailure): Pool {
  const seat = seatOf(pool, id);
  if (seat?.role === 'main' && seat.slot.at === 'starting') {
    return withSlot(pool, seat.id, { ...seat.slot, worker: { ...seat.slot.worker, failure } });
  }
  if (seat?.role === 'successor' && seat.slot.successor.at === 'starting') {
    return withSlot(pool, seat.id, { ...seat.slot, successor: { ...seat.slot.successor, failure } });
  }
  return pool;
}

/** A serving worker's event loop is blocked, or turns again. */
export function notePulse(pool: Pool, id: WorkerId, silent: boolean): Pool {
  const seat = seatOf(pool, id);
  if (seat === undefined) return pool;
  const changes = (worker: Starting | Serving): worker is Serving =>
    worker.at === 'serving' && worker.silent !== silent;
  if (seat.role === 'successor') {
    const { successor } = seat.slot;
    return changes(successor)
      ? withSlot(pool, seat.id, { ...seat.slot, successor: { ...successor, silent } })
      : pool;
  }
  const { slot } = seat;
  return slot.at !== 'starting' && changes(slot.worker)
    ? withSlot(pool, seat.id, { ...slot, worker: { ...slot.worker, silent } })
    : pool;
}

/** A worker is gone, or has proved that it cannot start; either way its seat is free. */
export function leave(pool: Pool, seat: Seat, exit: Exit, now: Millis): Outcome {
  return seat.role === 'successor'
    ? successorLost(pool, seat, exit, now)
    : mainLost(pool, { seat, exit }, now);
}

/** A worker drains unasked: its seat is free as if it had exited already, and it is killed if it takes too long. */
export function leaveByItself(pool: Pool, id: WorkerId, code: number, now: Millis): Outcome {
  const seat = seatOf(pool, id);
  if (seat === undefined) return only(pool);
  const { generation } = workerIn(seat);
  const deadline = now + policyOf(pool, generation).killTimeoutMs;
  const departing: Departing = { id, slot: seat.id, generation, deadline, ordered: false };
  const free = { ...pool, departing: [...pool.departing, departing] };
  return leave(free, seat, { worker: id, code, signal: null, failure: undefined }, now);
}

/** The successor did not live up to it: the old worker, which never stopped serving, keeps its seat. */
function successorLost(pool: Pool, { id, slot }: SuccessorSeat, exit: Exit, now: Millis): Outcome {
  const { successor, worker, why } = slot;
  const history = { ...slot.history, lastExit: exit };
  const kept = withSlot(pool, id, { at: 'ready', history, worker });
  const reason = mistrustSentence(id, exit, successor.at);
  if (why === 'reload') return abortReload(kept, reason, now);
  return { pool: kept, effects: [{ type: 'recycle.failed', slot: id, reason }] };
}

function mainLost(pool: Pool, loss: Loss, now: Millis): Outcome {
  const { seat, exit } = loss;
  if (pool.everReady || exit.failure === undefined || exit.code === null || !INCURABLE.includes(exit.code))
    return mainsLost(pool, [loss], now);
  const { history } = seat.slot;
  return stopAll(withSlot(pool, seat.id, { at: 'vacant', history }), { code: exit.code, exit }, now);
}

/** A seat whose worker is gone, and how that ended. */
interface Loss {
  readonly seat: MainSeat;
  readonly exit: Exit;
}

/** Each seat gets what policy decides; a worker of the reload under way that failed spoils it. */
function mainsLost(pool: Pool, losses: readonly Loss[], now: Millis): Outcome {
  const { reload } = pool;
  const slots = [...pool.slots];
  let reason: string | undefined;
  for (const { seat, exit } of losses) {
    const { id, slot } = seat;
    const stable = isStable(pool, slot.worker, now);
    const unstable = stable ? 0 : slot.history.unstable + 1;
    const history = { ...slot.history, unstable, forkFailures: 0, lastExit: exit };
    slots[id] = afterwards(pool, slot, history, exit, now);
    // A canary that ends before anybody has trusted it is no proof, however long it lived.
    if (slot.worker.generation === reload?.target && (!stable || reload.canary === 'pending'))
      reason ??= mistrustSentence(id, exit, slot.worker.at);
  }
  const next = { ...pool, slots };
  return reason === undefined ? only(next) : abortReload(next, reason, now);
}

/** What becomes of the seat: a successor that already sits there takes it over, else policy decides. */
function afterwards(pool: Pool, slot: Seat['slot'], history: History, exit: Exit, now: Millis): Slot {
  if (slot.at === 'replacing') return promoted(slot, history);
  const next = fate(policyOf(pool, slot.worker.generation), exit, history, pool.everReady);
  if (next.at === 'backoff') return { at: 'backoff', history, until: now + next.delay };
  return { at: next.at, history, exit };
}

/** The slot as it is with its successor alone in the seat. */
export function promoted({ successor }: Extract<Slot, { at: 'replacing' }>, memory: History): Slot {
  const history = { ...memory, generation: successor.generation, unstable: 0 };
  return successor.at === 'starting'
    ? { at: 'starting', history, worker: successor }
    : { at: 'ready', history, worker: successor };
}

function isStable(pool: Pool, worker: Starting | Serving, now: Millis): boolean {
  return worker.at === 'serving' && now - worker.since >= policyOf(pool, worker.generation).minUptimeMs;
}

/** The operating system refused the fork: tried again after a while, and never held against the build. */
export function forkFailed(pool: Pool, worker: WorkerId, message: string, now: Millis): Outcome {
  const seat = seatOf(pool, worker);
  if (seat === undefined) {
    const departing = pool.departing.filter(({ id }) => id !== worker);
    return only({ ...pool, departing });
  }
  const exit: Exit = { worker, code: null, signal: null, failure: { code: 1, message } };
  if (seat.role === 'successor') return leave(pool, seat, exit, now);
  const forkFailures = seat.slot.history.forkFailures + 1;
  const history = { ...seat.slot.history, forkFailures, lastExit: exit };
  const waiting = withSlot(pool, seat.id, {
    at: 'backoff',
    history,
    until: now + forkFailureDelay(forkFailures),
  });
  const spoils = seat.slot.worker.generation === pool.reload?.target;
  return spoils ? abortReload(waiting, mistrustSentence(seat.id, exit, 'starting'), now) : only(waiting);
}

/** Workers that did not become ready in time: they are told to leave, and their seats are free at once. */
export function startsTimedOut(pool: Pool, seats: readonly MainSeat[], now: Millis): Outcome {
  const departed = depart(
    pool,
    seats.map(({ id, slot }) => [id, slot.worker]),
    'retire',
    now,
  );
  const losses = seats.map(seat => ({ seat, exit: timedOut(pool, seat.slot.worker) }));
  return andThen(departed, rest => mainsLost(rest, losses, now));
}

/** The same for a successor. */
export function successorTimedOut(pool: Pool, seat: SuccessorSeat, now: Millis): Outcome {
  const { successor } = seat.slot;
  const departed = depart(pool, [[seat.id, successor]], 'retire', now);
  return andThen(departed, rest => successorLost(rest, seat, timedOut(pool, successor), now));
}

function timedOut(pool: Pool, { id, generation }: Starting | Serving): Exit {
  const { listenTimeoutMs } = policyOf(pool, generation);
  const failure = { code: 1, message: `not ready within ${listenTimeoutMs} ms` };
  return { worker: id, code: null, signal: null, failure };
}
