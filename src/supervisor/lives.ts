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
  type Seat,
} from './moves.js';
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
  return seat.role === 'successor' ? successorLost(pool, seat, exit, now) : mainLost(pool, seat, exit, now);
}

/** A worker drains unasked: its seat is free as if it had exited already, and it is killed if it takes too long. */
export function leaveByItself(pool: Pool, id: WorkerId, code: number, now: Millis): Outcome {
  const seat = seatOf(pool, id);
  if (seat === undefined) return only(pool);
  const { generation } = seat.role === 'main' ? seat.slot.worker : seat.slot.successor;
  const deadline = now + policyOf(pool, generation).killTimeoutMs;
  const departing: Departing = { id, slot: seat.id, generation, deadline, ordered: false };
  const free = { ...pool, departing: [...pool.departing, departing] };
  return leave(free, seat, { worker: id, code, signal: null, failure: undefined }, now);
}

/** The successor did not live up to it: the old worker, which never stopped serving, keeps its seat. */
function successorLost(
  pool: Pool,
  { id, slot }: Seat & { role: 'successor' },
  exit: Exit,
  now: Millis,
): Outcome {
  const { successor, worker, why } = slot;
  const history = { ...slot.history, lastExit: exit };
  const kept = withSlot(pool, id, { at: 'ready', history, worker });
  const reason = mistrustSentence(id, exit, successor.at);
  if (why === 'reload') return abortReload(kept, reason, now);
  return { pool: kept, effects: [{ type: 'recycle.failed', slot: id, reason }] };
}

function mainLost(pool: Pool, { id, slot }: Seat & { role: 'main' }, exit: Exit, now: Millis): Outcome {
  if (!pool.everReady && exit.failure !== undefined && exit.code !== null && INCURABLE.includes(exit.code)) {
    return stopAll(
      withSlot(pool, id, { at: 'vacant', history: slot.history }),
      { code: exit.code, exit },
      now,
    );
  }
  const stable = isStable(pool, slot.worker, now);
  const history: History = {
    ...slot.history,
    unstable: stable ? 0 : slot.history.unstable + 1,
    forkFailures: 0,
    lastExit: exit,
  };
  const next = withSlot(pool, id, afterwards(pool, slot, history, exit, now));
  const { reload } = pool;
  // A canary that ends before anybody has trusted it is no proof, however long it lived.
  const spoils = slot.worker.generation === reload?.target && (!stable || reload.canary === 'pending');
  return spoils ? abortReload(next, mistrustSentence(id, exit, slot.worker.at), now) : only(next);
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
  if (seat === undefined)
    return only({ ...pool, departing: pool.departing.filter(({ id }) => id !== worker) });
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

/** A worker that never became ready in time: it is told to leave, and its seat is free at once. */
export function startTimedOut(pool: Pool, seat: Seat, worker: Starting, now: Millis): Outcome {
  const { listenTimeoutMs } = policyOf(pool, worker.generation);
  const failure = { code: 1, message: `not ready within ${listenTimeoutMs} ms` };
  const exit: Exit = { worker: worker.id, code: null, signal: null, failure };
  const departed = depart(pool, [[seat.id, worker]], 'retire', now);
  return andThen(departed, rest => leave(rest, seat, exit, now));
}
