/** What happens to one slot when its worker becomes ready, fails to start, or ends. */
import type {
  BootFailure,
  DrainingWorker,
  Event,
  Exit,
  History,
  Millis,
  Notice,
  Outcome,
  Pool,
  Serving,
  Slot,
  Starting,
  SuccessorLost,
  WorkerId,
} from './model.js';
import {
  abortReload,
  andThen,
  drain,
  locate,
  noticing,
  policyOf,
  stopAll,
  updateWorker,
  withExit,
  withoutEffects,
  withoutFailures,
  withSlot,
  workerAt,
  type Located,
  type LocatedCurrent,
  type LocatedSuccessor,
} from './pool.js';
import { decideRestart, forkFailureDelay } from './policy.js';

/** Boot failures that no restart cures: an invalid configuration, a taken port (`protocol/exit-codes.ts`). */
const INCURABLE = [5, 6];

/** A starting worker serves from now on. */
export function becomeReady(pool: Pool, id: WorkerId, now: Millis): Pool {
  const next = updateWorker(pool, id, worker =>
    worker.at === 'starting'
      ? {
          at: 'serving',
          id,
          generation: worker.generation,
          forkedAt: worker.forkedAt,
          since: now,
          unresponsive: undefined,
        }
      : undefined,
  );
  return next === pool ? pool : { ...next, everReady: true };
}

/** Keeps the reason that a worker gives before it exits. */
export function noteBootFailure(pool: Pool, id: WorkerId, failure: BootFailure): Pool {
  return updateWorker(pool, id, worker => (worker.at === 'starting' ? { ...worker, failure } : undefined));
}

/** The heartbeats of a serving worker have stopped. */
export function noteSilence(pool: Pool, id: WorkerId, since: Millis): Pool {
  return updateWorker(pool, id, worker =>
    worker.at === 'serving' && worker.unresponsive === undefined
      ? { ...worker, unresponsive: { since, isHung: false } }
      : undefined,
  );
}

/** The heartbeats of an unresponsive worker come again. */
export function noteHeartbeats(pool: Pool, id: WorkerId, now: Millis): Outcome {
  const place = locate(pool, id);
  const worker = place && workerAt(place);
  if (worker?.at !== 'serving' || worker.unresponsive === undefined) return withoutEffects(pool);
  const { since, isHung } = worker.unresponsive;
  const next = updateWorker(pool, id, () => ({ ...worker, unresponsive: undefined }));
  return isHung
    ? noticing(next, { type: 'hang.ended', worker: id, hungMs: now - since })
    : withoutEffects(next);
}

/** The watchdog of a serving worker is about to kill it. */
export function noteHung(pool: Pool, id: WorkerId, hungMs: Millis): Pool {
  return updateWorker(pool, id, worker => (worker.at === 'serving' ? { ...worker, hungMs } : undefined));
}

/** The process of a worker has exited. */
export function exited(
  pool: Pool,
  { worker, code, signal, outOfMemory = false }: Extract<Event, { type: 'worker.exited' }>,
  now: Millis,
): Outcome {
  const leaving = pool.draining.find(({ id }) => id === worker);
  const noticed = noticing(
    pool,
    { type: 'worker.exited', worker, code, signal, ordered: leaving?.ordered === true },
    ...(outOfMemory ? [{ type: 'worker.out-of-memory', worker } as const] : []),
  );
  const place = locate(pool, worker);
  if (place !== undefined) {
    const cause: Exit['cause'] = outOfMemory ? { type: 'out-of-memory' } : announcedBy(place);
    return andThen(noticed, rest => lost(rest, place, { worker, code, signal, cause }, now));
  }
  return leaving === undefined ? noticed : { ...noticed, pool: left(pool, leaving, { code, signal }) };
}

/** A draining worker has exited; its slot may have remembered the exit before it happened. */
function left(pool: Pool, { id, slot: slotId }: DrainingWorker, end: Pick<Exit, 'code' | 'signal'>): Pool {
  const draining = pool.draining.filter(worker => worker.id !== id);
  const slot = pool.slots[slotId];
  if (slot?.history.exits.some(({ worker }) => worker === id) !== true) return { ...pool, draining };
  const exits = slot.history.exits.map(exit => (exit.worker === id ? { ...exit, ...end } : exit));
  return withSlot({ ...pool, draining }, slotId, { ...slot, history: { ...slot.history, exits } });
}

function announcedBy(place: Located): Exit['cause'] {
  const worker = workerAt(place);
  if (worker.at === 'serving')
    return worker.hungMs === undefined ? undefined : { type: 'hung', blockedMs: worker.hungMs };
  return worker.failure === undefined ? undefined : { type: 'boot-failed', ...worker.failure };
}

/** A worker drains on its own: its slot is free as if it had exited, and it is killed if it takes too long. */
export function drainsOnItsOwn(
  pool: Pool,
  { worker: id, code, reason }: Extract<Event, { type: 'worker.draining' }>,
  now: Millis,
): Outcome {
  const place = locate(pool, id);
  if (place === undefined) return withoutEffects(pool);
  const { generation } = workerAt(place);
  const deadline = now + policyOf(pool, generation).killTimeoutMs;
  const worker: DrainingWorker = { id, slot: place.id, generation, deadline, ordered: false };
  const noticed = noticing(
    { ...pool, draining: [...pool.draining, worker] },
    { type: 'worker.draining', worker: id },
  );
  const cause: Exit['cause'] = reason === undefined ? undefined : { type: 'drained', reason };
  const exit: Exit = { worker: id, code, signal: null, cause };
  return andThen(noticed, rest => lost(rest, place, exit, now));
}

/** A worker is gone, or has failed to start; either way its slot is free. */
function lost(pool: Pool, place: Located, exit: Exit, now: Millis): Outcome {
  if (place.role === 'successor') return successorLost(pool, place, exit, now);
  const incurable = incurableCode(exit);
  if (pool.everReady || incurable === undefined) return currentLost(pool, [{ place, exit }], now);
  const { history } = place.slot;
  return stopAll(withSlot(pool, place.id, { at: 'vacant', history }), { code: incurable, exit }, 'stop', now);
}

/** The code for the service of a failure that no restart cures. Programs other than ours exit with 1 for it. */
function incurableCode({ cause, code }: Exit): number | undefined {
  const isAnnounced = cause?.type === 'boot-failed' && code !== null && INCURABLE.includes(cause.code);
  return isAnnounced ? cause.code : undefined;
}

/** A successor has not proved itself: the old worker, which never stopped serving, keeps its slot. */
function successorLost(pool: Pool, { id, slot }: LocatedSuccessor, exit: Exit, now: Millis): Outcome {
  const { successor, worker, why } = slot;
  const history = withExit(slot.history, exit);
  const kept = withSlot(pool, id, { at: 'ready', history, worker });
  const loss: SuccessorLost = { slot: id, exit, state: successor.at };
  if (why.type === 'reload') return abortReload(kept, { type: 'successor-lost', ...loss }, now);
  return noticing(kept, { type: 'memory-restart.failed', ...loss });
}

/** A slot whose current worker is gone, and how it ended. */
interface Loss {
  readonly place: LocatedCurrent;
  readonly exit: Exit;
}

/** Each slot gets what policy decides; a failed worker of the running reload aborts the reload. */
function currentLost(pool: Pool, losses: readonly Loss[], now: Millis): Outcome {
  const { reload } = pool;
  const slots = [...pool.slots];
  const notices: Notice[] = [];
  let failed: SuccessorLost | undefined;
  for (const { place, exit } of losses) {
    const { id, slot } = place;
    const stable = isStable(pool, slot.worker, now);
    const unstable = stable ? 0 : slot.history.unstable + 1;
    const history = { ...withExit(slot.history, exit), unstable, forkFailures: 0 };
    const next = afterLoss(pool, slot, history, exit, now);
    slots[id] = next;
    notices.push(...consequence(id, next, now));
    const { isJob } = policyOf(pool, slot.worker.generation);
    // What ends before it is ready, or as the canary before it is trusted, proves nothing, however long it lived; a job
    // may end at any time.
    const isUnproved = slot.worker.at === 'starting' || reload?.canary === 'pending';
    const isFailure = (!stable || isUnproved) && !(isJob && exit.code === 0);
    if (slot.worker.generation === reload?.target && isFailure)
      failed ??= { slot: id, exit, state: slot.worker.at };
  }
  const changed = noticing({ ...pool, slots }, ...notices);
  if (failed === undefined) return changed;
  const reason = { type: 'successor-lost', ...failed } as const;
  return andThen(changed, rest => abortReload(rest, reason, now));
}

/** A successor that is already there takes the slot over; otherwise policy decides. */
function afterLoss(
  pool: Pool,
  slot: LocatedCurrent['slot'],
  history: History,
  exit: Exit,
  now: Millis,
): Slot {
  if (slot.at === 'replacing') return successorAlone(slot, history);
  const next = decideRestart(policyOf(pool, slot.worker.generation), exit, history, pool.everReady);
  if (next.at === 'backoff') return { at: 'backoff', history, until: now + next.delay };
  return { at: next.at, history, exit };
}

/** What the log says about a slot that has lost its worker; a restart at once needs no line. */
function consequence(id: number, slot: Slot, now: Millis): readonly Notice[] {
  switch (slot.at) {
    case 'backoff':
      return slot.until > now ? [{ type: 'slot.backoff', slot: id, delayMs: slot.until - now }] : [];
    case 'stopped':
      return [{ type: 'slot.stopped', slot: id, exit: slot.exit }];
    case 'errored':
      return [{ type: 'slot.errored', slot: id, unstable: slot.history.unstable }];
    default:
      return [];
  }
}

/** The slot with its successor as the only worker. */
export function successorAlone(
  { successor, why }: Extract<Slot, { at: 'replacing' }>,
  before: History,
): Slot {
  const cleared =
    why.type === 'reload'
      ? withoutFailures(before)
      : { ...before, unstable: 0, restarts: before.restarts + 1 };
  const history = { ...cleared, generation: successor.generation };
  return successor.at === 'starting'
    ? { at: 'starting', history, worker: successor }
    : { at: 'ready', history, worker: successor };
}

function isStable(pool: Pool, worker: Starting | Serving, now: Millis): boolean {
  const { waitReady, minUptimeMs } = policyOf(pool, worker.generation);
  if (!waitReady) return now - worker.forkedAt >= minUptimeMs;
  return worker.at === 'serving' && now - worker.since >= minUptimeMs;
}

/** The operating system refused the fork: retried after a delay, and never held against the build. */
export function forkFailed(pool: Pool, worker: WorkerId, message: string, now: Millis): Outcome {
  const noticed = noticing(pool, { type: 'fork.failed', message });
  const place = locate(pool, worker);
  if (place === undefined) {
    const draining = pool.draining.filter(({ id }) => id !== worker);
    return { ...noticed, pool: { ...pool, draining } };
  }
  const exit: Exit = { worker, code: null, signal: null, cause: { type: 'fork-failed', message } };
  if (place.role === 'successor') return andThen(noticed, rest => successorLost(rest, place, exit, now));
  const forkFailures = place.slot.history.forkFailures + 1;
  const delayMs = forkFailureDelay(forkFailures);
  const history = { ...withExit(place.slot.history, exit), forkFailures };
  const waiting = withSlot(pool, place.id, { at: 'backoff', history, until: now + delayMs });
  const retried = andThen(noticed, () =>
    noticing(waiting, { type: 'slot.backoff', slot: place.id, delayMs }),
  );
  if (place.slot.worker.generation !== pool.reload?.target) return retried;
  const reason = { type: 'successor-lost', slot: place.id, exit, state: 'starting' } as const;
  return andThen(retried, rest => abortReload(rest, reason, now));
}

/** Current workers that are not ready in time drain, and their slots are free at once. */
export function startsTimedOut(pool: Pool, places: readonly LocatedCurrent[], now: Millis): Outcome {
  const drained = drain(
    pool,
    places.map(({ id, slot }) => [id, slot.worker]),
    'retire',
    now,
  );
  const losses = places.map(place => ({ place, exit: startTimeout(pool, place.slot.worker) }));
  const notices = losses.map(({ exit }): Notice => ({
    type: 'worker.start-timeout',
    worker: exit.worker,
    exit,
  }));
  return andThen({ ...drained, notices }, rest => currentLost(rest, losses, now));
}

/** The same for a successor. */
export function successorTimedOut(pool: Pool, place: LocatedSuccessor, now: Millis): Outcome {
  const { successor } = place.slot;
  const drained = drain(pool, [[place.id, successor]], 'retire', now);
  const exit = startTimeout(pool, successor);
  const notices: Notice[] = [{ type: 'worker.start-timeout', worker: exit.worker, exit }];
  return andThen({ ...drained, notices }, rest => successorLost(rest, place, exit, now));
}

function startTimeout(pool: Pool, { id, generation }: Starting | Serving): Exit {
  const { listenTimeoutMs: limitMs } = policyOf(pool, generation);
  return { worker: id, code: null, signal: null, cause: { type: 'start-timeout', limitMs } };
}
