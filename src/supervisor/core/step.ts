/**
 * The supervisor's mind: `step(pool, event, now)` says what the pool is now and what has to be done about it.
 *
 * There are two kinds of change. An *event* moves the slot of its worker (this file and `transitions.ts`). Then the
 * *rules* look at the pool as a whole and apply until none of them changes anything (`rules.ts`): they fork into empty
 * slots, kill workers that are overdue, continue a reload, lend sockets, end the service. Nothing here reads a clock,
 * sets a timer, or knows a process: time comes in as `now`, and `wake.ts` says when to come back.
 */
import type { Effect, Event, Millis, Outcome, Policy, Pool, Predecessor, Slot, WorkerId } from './model.js';
import {
  andThen,
  fork,
  load,
  loadAgainIfRequested,
  locate,
  noticing,
  policyOf,
  stopAll,
  withoutEffects,
  withoutFailures,
  withSlot,
  workerAt,
} from './pool.js';
import { RULES } from './rules.js';
import {
  becomeReady,
  drainsOnItsOwn,
  exited,
  forkFailed,
  noteBootFailure,
  noteHeartbeats,
  noteHung,
  noteSilence,
} from './transitions.js';

/** A slot whose workers are too large from the start is not restarted for its memory again for so long. */
const MEMORY_RESTART_PAUSE_MS = 60_000;

/**
 * A pool in which nothing has happened yet; the first `wake` fills it. A number that was set by `scale` survives an
 * upgrade as it survives a reload.
 */
export function createPool(policy: Policy, instances: number, before?: Predecessor): Pool {
  return {
    policy,
    generation: 1,
    wanted: before?.fromFile === instances ? before.wanted : instances,
    fromFile: instances,
    slots: [],
    draining: [],
    reload: undefined,
    loading: false,
    reloadAgain: false,
    lent: new Map(),
    sockets: before?.sockets ?? 0,
    everReady: false,
    lastWorker: 0,
    verdict: undefined,
    ended: false,
  };
}

export function step(pool: Pool, event: Event, now: Millis): Outcome {
  return pool.ended ? withoutEffects(pool) : settle(react(pool, event, now), now);
}

function settle(start: Outcome, now: Millis): Outcome {
  let outcome = start;
  for (let before; before !== outcome.pool;) {
    before = outcome.pool;
    for (const rule of RULES) outcome = andThen(outcome, pool => rule(pool, now));
  }
  return outcome;
}

function react(pool: Pool, event: Event, now: Millis): Outcome {
  switch (event.type) {
    case 'wake':
      return withoutEffects(pool);
    case 'worker.ready':
      return withoutEffects(becomeReady(pool, event.worker, now));
    case 'worker.listening':
      return withoutEffects(listening(pool, event.worker, now));
    case 'worker.boot-failed':
      return withoutEffects(noteBootFailure(pool, event.worker, event.failure));
    case 'worker.exited':
      return exited(pool, event, now);
    case 'worker.draining':
      return drainsOnItsOwn(pool, event, now);
    case 'worker.unresponsive':
      return withoutEffects(noteSilence(pool, event.worker, now - event.blockedMs));
    case 'worker.responsive':
      return noteHeartbeats(pool, event.worker, now);
    case 'worker.hung':
      return withoutEffects(noteHung(pool, event.worker, event.blockedMs));
    case 'worker.memory-exceeded':
      return restartForMemory(pool, event, now);
    case 'fork.failed':
      return forkFailed(pool, event.worker, event.message, now);
    case 'reload.requested':
      return requestReload(pool);
    case 'reload.read':
      return beginReload(pool, event);
    case 'reload.refused':
      return loadAgainIfRequested({ ...pool, loading: false });
    case 'scale':
      return scale(pool, event.instances);
    case 'stop':
      return event.how === 'now'
        ? stopNow(pool, now)
        : stop(pool, event.how === 'retire' ? 'retire' : 'stop', now);
  }
}

/** Listening is readiness only where the app does not send `ready` itself. */
function listening(pool: Pool, worker: WorkerId, now: Millis): Pool {
  const place = locate(pool, worker);
  if (place === undefined || policyOf(pool, workerAt(place).generation).waitReady) return pool;
  return becomeReady(pool, worker, now);
}

/**
 * A worker above its memory limit gets a successor first; one slot at a time. One that was as large when it became ready
 * is not replaced again soon: its successor would be no smaller.
 */
function restartForMemory(
  pool: Pool,
  { worker, hasGrown, bytes, limitBytes }: Extract<Event, { type: 'worker.memory-exceeded' }>,
  now: Millis,
): Outcome {
  const place = locate(pool, worker);
  if (place?.slot.at !== 'ready' || pool.reload !== undefined) return withoutEffects(pool);
  const { id, slot } = place;
  const { memoryRestartAt, generation } = slot.history;
  const isRecent = memoryRestartAt !== undefined && now - memoryRestartAt < MEMORY_RESTART_PAUSE_MS;
  if ((isRecent && !hasGrown) || pool.slots.some(({ at }) => at === 'replacing')) return withoutEffects(pool);
  const excess = { bytes, limitBytes };
  const { worker: successor, ...forked } = fork(pool, id, pool.generation, now);
  const history = { ...slot.history, generation, memoryRestartAt: now };
  const next: Slot = {
    at: 'replacing',
    history,
    worker: slot.worker,
    successor,
    why: { type: 'memory', ...excess },
  };
  return andThen(forked, rest =>
    noticing(withSlot(rest, id, next), { type: 'memory-restart.begun', worker, ...excess }),
  );
}

/** A reload requested while one runs follows it; any number of such requests is one. */
function requestReload(pool: Pool): Outcome {
  if (pool.verdict !== undefined || pool.reloadAgain) return withoutEffects(pool);
  if (pool.reload !== undefined || pool.loading)
    return noticing({ ...pool, reloadAgain: true }, { type: 'reload.queued' });
  return load(pool);
}

function beginReload(
  pool: Pool,
  { generation, policy, instances }: Extract<Event, { type: 'reload.read' }>,
): Outcome {
  if (pool.verdict !== undefined || pool.reload !== undefined) return withoutEffects(pool);
  const reload = { target: generation, policy, instances, canary: 'pending' } as const;
  return noticing({ ...pool, reload, loading: false }, { type: 'reload.begun', slots: pool.slots.length });
}

/** A new number of slots; errored and stopped ones get another chance. */
function scale(pool: Pool, instances: number): Outcome {
  if (pool.verdict !== undefined) return withoutEffects(pool);
  const slots = pool.slots.map((slot): Slot => {
    return slot.at === 'errored' || slot.at === 'stopped'
      ? { at: 'vacant', history: withoutFailures(slot.history) }
      : slot;
  });
  return noticing(
    { ...pool, wanted: instances, slots },
    { type: 'scaling', from: pool.wanted, to: instances },
  );
}

function stop(pool: Pool, how: 'stop' | 'retire', now: Millis): Outcome {
  return pool.verdict === undefined
    ? stopAll(pool, { code: 0, exit: undefined }, how, now)
    : withoutEffects(pool);
}

/** Every worker is killed; a worker without an order to drain needs none any more. */
function stopNow(pool: Pool, now: Millis): Outcome {
  const { pool: stopped, effects, notices } = stop(pool, 'stop', now);
  const draining = stopped.draining.map(worker => ({ ...worker, deadline: undefined }));
  const kills = draining.map(({ id }): Effect => ({ type: 'kill', worker: id }));
  return {
    pool: { ...stopped, draining },
    effects: [...effects.filter(({ type }) => type !== 'order'), ...kills],
    notices,
  };
}
