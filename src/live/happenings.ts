/** Events of a service that nothing but its workers tells of, from two looks at them. Pure. */
import type { Snapshot } from '../observability/snapshot.js';
import type { Lifecycle, Moment } from './messages.js';
import type { AskedWorker } from './worker-status.js';

/** A loop that has been blocked for so long gets its stack with the first look after it. */
const BLOCKED_SECONDS = 1;

/** A stack that has not come until now does not come. */
const STACK_SECONDS = 1.8;

/** What must be known of a worker to tell what has become of it. */
type KnownWorker = Pick<AskedWorker, 'slot' | 'pid' | 'isGone'> & {
  readonly snapshot: Pick<Snapshot, 'phase'> | undefined;
};

const byPid = (workers: readonly KnownWorker[]): ReadonlyMap<number, KnownWorker> =>
  new Map(workers.map(worker => [worker.pid, worker]));

const isServing = (worker: KnownWorker | undefined): boolean => worker?.snapshot?.phase === 'serving';

/** A moment so long ago, in ms, does not say what has happened just before the first look. */
const RECENT_MS = 15_000;

/**
 * The workers before the first look of a worker that has just taken the port: the one that held it may be among those that have
 * died or ended since.
 * @param last what was seen before
 */
export function workersBefore(
  now: readonly AskedWorker[],
  last: Moment | undefined,
  at: number,
): KnownWorker[] {
  if (last === undefined || at - last.at > RECENT_MS)
    return now.map(worker => ({ ...worker, isGone: false }));
  const seen = last.workers.flatMap(({ slot, pid, state }) => {
    const snapshot = state === 'ready' || state === 'hung' ? { phase: 'serving' as const } : undefined;
    return pid === null ? [] : [{ slot, pid, isGone: false, snapshot }];
  });
  const unseen = now.filter(({ pid, isGone }) => isGone && seen.every(worker => worker.pid !== pid));
  return [...seen, ...unseen.map(worker => ({ ...worker, isGone: false }))];
}

/** What PM2 and a worker alone do not tell: workers that serve, have ended or died since the look before. */
export function workerEvents(
  before: readonly KnownWorker[],
  now: readonly AskedWorker[],
  at: number,
): Lifecycle[] {
  const [known, found] = [byPid(before), byPid(now)];
  const ready = now
    .filter(worker => isServing(worker) && !isServing(known.get(worker.pid)))
    .map(({ slot, pid }) => event('ready', slot, pid, `Worker ${pid} serves slot ${slot}`));
  const ended = before
    .filter(({ pid, isGone }) => !isGone && (found.get(pid)?.isGone ?? true))
    .map(({ slot, pid }) =>
      found.has(pid)
        ? event('crash', slot, pid, `Worker ${pid} has died; "pm2 logs" has its exit code`)
        : event('stop', slot, pid, `Worker ${pid} has ended`),
    );
  return [...ended, ...ready];

  function event(kind: Lifecycle['kind'], slot: number, pid: number, text: string): Lifecycle {
    return { at, kind, slot, pid, text, stack: null };
  }
}

export interface Hangs {
  /** Pids of workers whose blocked loop is known already. */
  readonly known: ReadonlySet<number>;
  readonly events: readonly Lifecycle[];
}

/** One event for each time that a loop is blocked, with its stack. */
export function hangsIn(now: readonly AskedWorker[], known: ReadonlySet<number>, at: number): Hangs {
  const blocked = now.flatMap(({ snapshot }) =>
    snapshot !== undefined && snapshot.gauges.blockedSeconds >= BLOCKED_SECONDS ? [snapshot] : [],
  );
  const due = blocked.filter(
    ({ gauges, blockedAt }) => blockedAt !== null || gauges.blockedSeconds >= STACK_SECONDS,
  );
  return {
    known: new Set([...blocked.filter(({ pid }) => known.has(pid)), ...due].map(({ pid }) => pid)),
    events: due
      .filter(({ pid }) => !known.has(pid))
      .map(({ slot, pid, gauges, blockedAt }) => ({
        at,
        kind: 'hang',
        slot,
        pid,
        text: `Worker ${pid} has been blocked for ${gauges.blockedSeconds.toFixed(1)} s`,
        stack: blockedAt,
      })),
  };
}
