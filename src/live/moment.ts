/** What a service is doing at one moment, from its status and what its workers say of themselves. Pure. */
import type { ShownStatus, ShownWorker } from './shown-status.js';
import { BUCKETS } from '../observability/request-stats.js';
import type { Snapshot } from '../observability/snapshot.js';
import type { LiveRoute, LiveWorker, Moment } from './messages.js';

/** So many routes are shown, the busiest ones. */
const MAX_ROUTES = 50;

/** What was found when a service was looked at. */
export interface Look {
  /** ms since the epoch. */
  readonly at: number;
  readonly app: string;
  readonly supervisedBy: Moment['supervisedBy'];
  readonly status: Pick<ShownStatus, 'state' | 'why' | 'served' | 'wanted' | 'workers'>;
  /** Of the workers that have answered. */
  readonly snapshots: readonly Snapshot[];
}

/** @param before the look before: without it there are no rates of routes */
export function momentOf(look: Look, before: Look | undefined): Moment {
  const { at, app, supervisedBy, status, snapshots } = look;
  const { state, why, served, wanted, workers } = status;
  return {
    at,
    app,
    supervisedBy,
    state,
    why,
    served,
    wanted,
    workers: workers.map(worker =>
      workerAt(
        worker,
        snapshots.find(({ pid }) => pid === worker.pid),
      ),
    ),
    routes: before === undefined ? [] : routesBetween(before, look),
  };
}

const workerAt = (worker: ShownWorker, snapshot: Snapshot | undefined): LiveWorker => ({
  slot: worker.slot,
  pid: worker.pid,
  state: worker.state,
  generation: worker.generation,
  restarts: worker.restarts,
  uptimeMs: worker.uptime,
  cpu: worker.cpu,
  memory: worker.memory,
  eventLoopUtilization: worker.eventLoopUtilization,
  requestsPerSecond: worker.requestsPerSecond,
  p50Ms: inMs(snapshot?.recent.p50Seconds ?? null),
  p99Ms: worker.p99,
  inFlight: worker.inFlight,
});

const inMs = (seconds: number | null): number | null =>
  seconds === null ? null : Math.round(seconds * 10_000) / 10;

type Series = Snapshot['requests'][number];

/** Requests of one route, by their duration as in {@link BUCKETS}. */
interface Count {
  readonly method: string;
  readonly route: string;
  readonly buckets: readonly number[];
  readonly errors: number;
}

const keyOf = ({ method, route, status }: Series): string => `${status} ${method} ${route}`;

function routesBetween(before: Look, look: Look): LiveRoute[] {
  const seconds = (look.at - before.at) / 1_000;
  if (seconds <= 0) return [];
  const counts = new Map<string, Count>();
  for (const snapshot of look.snapshots) {
    const earlier = before.snapshots.find(({ pid }) => pid === snapshot.pid);
    // One that has not answered before would bring in everything since its start.
    if (earlier === undefined && snapshot.gauges.uptimeSeconds > seconds) continue;
    const known = new Map(earlier?.requests.map(series => [keyOf(series), series]));
    for (const series of snapshot.requests) add(counts, series, known.get(keyOf(series)));
  }
  return [...counts.values()]
    .map(count => rateOf(count, seconds))
    .filter(({ requestsPerSecond }) => requestsPerSecond > 0)
    .toSorted((one, other) => other.requestsPerSecond - one.requestsPerSecond)
    .slice(0, MAX_ROUTES);
}

function add(counts: Map<string, Count>, series: Series, earlier: Series | undefined): void {
  const { method, route, status } = series;
  const key = `${method} ${route}`;
  const { buckets, errors } = counts.get(key) ?? { buckets: [], errors: 0 };
  const more = series.buckets.map((count, index) => count - (earlier?.buckets[index] ?? 0));
  counts.set(key, {
    method,
    route,
    buckets: more.map((count, index) => count + (buckets[index] ?? 0)),
    errors: errors + (status >= 500 ? sum(more) : 0),
  });
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

function rateOf({ method, route, buckets, errors }: Count, seconds: number): LiveRoute {
  const perSecond = (count: number): number => Math.round((count * 10) / seconds) / 10;
  return {
    method,
    route,
    requestsPerSecond: perSecond(sum(buckets)),
    errorsPerSecond: perSecond(errors),
    p50Ms: inMs(quantile(buckets, 0.5)),
    p99Ms: inMs(quantile(buckets, 0.99)),
  };
}

/**
 * In seconds, as Prometheus' `histogram_quantile` takes it: evenly spread within a bucket, and the last bound for what
 * took longer.
 */
function quantile(buckets: readonly number[], share: number): number | null {
  const total = sum(buckets);
  if (total === 0) return null;
  let rank = total * share;
  for (const [index, upper] of BUCKETS.entries()) {
    const count = buckets[index] ?? 0;
    const lower = BUCKETS[index - 1] ?? 0;
    if (rank <= count) return lower + (upper - lower) * (rank / count);
    rank -= count;
  }
  return BUCKETS[BUCKETS.length - 1] ?? null;
}
