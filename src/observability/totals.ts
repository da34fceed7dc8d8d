/**
 * Sums over the lives of workers. A counter of the service never falls: what a process had counted when it was last
 * asked is kept after its end, and added to what its successors count.
 */
import { COUNTERS, type Snapshot } from './snapshot.js';

type Counts = Pick<Snapshot, 'counters' | 'requests'>;

export interface Totals {
  /** @param gone whether this process has ended */
  update(snapshots: readonly Snapshot[], gone: (pid: number) => boolean): void;
  /** Slots that have been seen, with their sums. */
  slots(): ReadonlyMap<number, Counts>;
  /** For another process that goes on with these sums. */
  save(): string;
}

interface Saved {
  readonly ended: readonly (readonly [slot: number, counts: Counts])[];
  readonly living: readonly Snapshot[];
}

const NOTHING: Counts = {
  counters: Object.fromEntries(COUNTERS.map(name => [name, 0])) as Snapshot['counters'],
  requests: [],
};

/** @param saved by {@link Totals.save} of another process; what cannot be read counts nothing */
export function createTotals(saved?: string): Totals {
  const { ended: endedBefore, living: livingBefore } = restore(saved);
  const ended = new Map(endedBefore);
  const living = new Map(livingBefore.map(snapshot => [snapshot.pid, snapshot]));

  function slots(): Map<number, Counts> {
    const sums = new Map(ended);
    for (const snapshot of living.values())
      sums.set(snapshot.slot, add(sums.get(snapshot.slot) ?? NOTHING, snapshot));
    return sums;
  }

  return {
    update(snapshots, gone) {
      for (const snapshot of snapshots) living.set(snapshot.pid, snapshot);
      for (const [pid, snapshot] of living) {
        if (!gone(pid)) continue;
        living.delete(pid);
        ended.set(snapshot.slot, add(ended.get(snapshot.slot) ?? NOTHING, snapshot));
      }
    },
    slots,
    save: () => JSON.stringify({ ended: [...ended], living: [...living.values()] } satisfies Saved),
  };
}

function restore(saved: string | undefined): Saved {
  try {
    const { ended, living } = JSON.parse(saved ?? '{}') as Partial<Saved>;
    if (Array.isArray(ended) && Array.isArray(living)) return { ended, living };
  } catch {
    // written by another version, or cut: the counters begin at 0, as after a start
  }
  return { ended: [], living: [] };
}

function add(one: Counts, other: Counts): Counts {
  const requests = new Map(one.requests.map(series => [keyOf(series), series]));
  for (const series of other.requests) {
    const known = requests.get(keyOf(series));
    requests.set(
      keyOf(series),
      known === undefined
        ? series
        : {
            ...series,
            buckets: series.buckets.map((count, index) => count + (known.buckets[index] ?? 0)),
            sum: series.sum + known.sum,
          },
    );
  }
  return {
    counters: Object.fromEntries(
      // A version before this one may have saved fewer.
      COUNTERS.map(name => [name, (one.counters[name] ?? 0) + (other.counters[name] ?? 0)]),
    ) as Snapshot['counters'],
    requests: [...requests.values()],
  };
}

const keyOf = ({ method, route, status }: Snapshot['requests'][number]): string =>
  `${status} ${method} ${route}`;
