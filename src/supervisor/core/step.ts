/**
 * The supervisor's mind: `step(pool, event, now)` says what the pool is now and what has to be done about it.
 *
 * There are two kinds of change. An *event* moves the slot of the worker it speaks of (this file). Then the
 * *rules* look at the pool as a whole and apply until none of them has anything left to say (`rules.ts`): they
 * fork into empty seats, kill what overstays, roll a reload on, lend sockets, end the service. Nothing here reads
 * a clock, sets a timer, or knows a process: time comes in as `now`, and `wake.ts` says when to come back.
 */
import { becomeReady, forkFailed, leave, leaveByItself, noteFailure, notePulse } from './transitions.js';
import type { BootFailure, Effect, Event, Millis, Outcome, Policy, Pool, Slot, WorkerId } from './model.js';
import { fork, forgiven, only, policyOf, seatOf, stopAll, withSlot, workerIn, type Seat } from './pool.js';
import { RULES } from './rules.js';

/** A slot that has been replaced for its memory is left in peace for so long. */
const RECYCLE_PAUSE_MS = 60_000;

/** A pool in which nothing has happened yet; the first `wake` fills it. */
export function createPool(policy: Policy, instances: number): Pool {
  return {
    policy,
    generation: 1,
    wanted: instances,
    fromFile: instances,
    slots: [],
    departing: [],
    reload: undefined,
    reloadAgain: false,
    loans: new Map(),
    sockets: 0,
    everReady: false,
    lastWorker: 0,
    verdict: undefined,
    ended: false,
  };
}

export function step(pool: Pool, event: Event, now: Millis): Outcome {
  return pool.ended ? only(pool) : settle(react(pool, event, now), now);
}

function settle(start: Outcome, now: Millis): Outcome {
  let outcome = start;
  for (let before; before !== outcome.pool;) {
    before = outcome.pool;
    for (const rule of RULES) {
      const next = rule(outcome.pool, now);
      if (next.pool !== outcome.pool)
        outcome = { pool: next.pool, effects: [...outcome.effects, ...next.effects] };
    }
  }
  return outcome;
}

function react(pool: Pool, event: Event, now: Millis): Outcome {
  switch (event.type) {
    case 'wake':
      return only(pool);
    case 'worker.ready':
      return only(becomeReady(pool, event.worker, now));
    case 'worker.listening':
      return only(heardListening(pool, event.worker, now));
    case 'worker.failed':
      return only(noteFailure(pool, event.worker, event.failure));
    case 'worker.exited':
      return exited(pool, event, now);
    case 'worker.leaving':
      return leaveByItself(pool, event.worker, event.code, now);
    case 'worker.silent':
      return only(notePulse(pool, event.worker, true));
    case 'worker.heard':
      return only(notePulse(pool, event.worker, false));
    case 'worker.grown':
      return recycle(pool, event.worker, now);
    case 'fork.failed':
      return forkFailed(pool, event.worker, event.message, now);
    case 'reload.asked':
      return reloadAsked(pool);
    case 'reload.read':
      return beginReload(pool, event);
    case 'scale':
      return only(scale(pool, event.instances));
    case 'stop':
      return event.how === 'now' ? stopNow(pool, now) : stop(pool, now);
  }
}

/** Listening is readiness only where the app was not asked to say `ready` itself. */
function heardListening(pool: Pool, worker: WorkerId, now: Millis): Pool {
  const seat = seatOf(pool, worker);
  if (seat === undefined || policyOf(pool, workerIn(seat).generation).waitReady) return pool;
  return becomeReady(pool, worker, now);
}

function exited(pool: Pool, event: Extract<Event, { type: 'worker.exited' }>, now: Millis): Outcome {
  const { worker, code, signal } = event;
  const seat = seatOf(pool, worker);
  if (seat !== undefined) return leave(pool, seat, { worker, code, signal, failure: failureOf(seat) }, now);
  const departing = pool.departing.filter(({ id }) => id !== worker);
  return only(departing.length < pool.departing.length ? { ...pool, departing } : pool);
}

function failureOf(seat: Seat): BootFailure | undefined {
  const worker = workerIn(seat);
  return worker.at === 'starting' ? worker.failure : undefined;
}

/** A worker that outgrew its memory limit gets a successor first; one slot at a time, and none twice in a row. */
function recycle(pool: Pool, worker: WorkerId, now: Millis): Outcome {
  const seat = seatOf(pool, worker);
  if (seat?.slot.at !== 'ready' || pool.reload !== undefined) return only(pool);
  const { id, slot } = seat;
  const { recycledAt, generation } = slot.history;
  const recently = recycledAt !== undefined && now - recycledAt < RECYCLE_PAUSE_MS;
  if (recently || pool.slots.some(({ at }) => at === 'replacing')) return only(pool);
  const { worker: successor, ...forked } = fork(pool, id, pool.generation, now);
  const history = { ...slot.history, generation, recycledAt: now };
  return {
    ...forked,
    pool: withSlot(forked.pool, id, {
      at: 'replacing',
      history,
      worker: slot.worker,
      successor,
      why: 'memory',
    }),
  };
}

/** Two reloads at once are one after the other, and any number asked for meanwhile are one. */
function reloadAsked(pool: Pool): Outcome {
  if (pool.verdict !== undefined) return only(pool);
  if (pool.reload !== undefined) return only({ ...pool, reloadAgain: true });
  return { pool, effects: [{ type: 'reread' }] };
}

function beginReload(
  pool: Pool,
  { generation, policy, instances }: Extract<Event, { type: 'reload.read' }>,
): Outcome {
  if (pool.verdict !== undefined || pool.reload !== undefined) return only(pool);
  return only({ ...pool, reload: { target: generation, policy, instances, canary: 'pending' } });
}

/** A new number of slots; errored and stopped ones get another chance. */
function scale(pool: Pool, instances: number): Pool {
  if (pool.verdict !== undefined) return pool;
  const slots = pool.slots.map((slot): Slot => {
    return slot.at === 'errored' || slot.at === 'stopped'
      ? { at: 'vacant', history: forgiven(slot.history) }
      : slot;
  });
  return { ...pool, wanted: instances, slots };
}

function stop(pool: Pool, now: Millis): Outcome {
  return pool.verdict === undefined ? stopAll(pool, { code: 0, exit: undefined }, now) : only(pool);
}

/** Nobody is waited for any more; who has not been told to leave yet need not be told. */
function stopNow(pool: Pool, now: Millis): Outcome {
  const { pool: stopped, effects } = stop(pool, now);
  const departing = stopped.departing.map(worker => ({ ...worker, deadline: undefined }));
  const kills = departing.map(({ id }): Effect => ({ type: 'kill', worker: id }));
  return {
    pool: { ...stopped, departing },
    effects: [...effects.filter(({ type }) => type !== 'order'), ...kills],
  };
}
