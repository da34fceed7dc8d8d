/** A moment of a service, made of its status and what its workers say. */
import { momentOf, type Look } from '../../src/live/moment.js';
import { statusOfWorkers } from '../../src/live/worker-status.js';
import { BUCKETS } from '../../src/observability/request-stats.js';
import { COUNTERS, GAUGES, type Snapshot } from '../../src/observability/snapshot.js';
import { IDLE } from '../support/snapshots.js';

type Requests = Snapshot['requests'][number];

/** @param counts how many requests were in which bucket */
function requests(route: string, status: number, counts: Readonly<Record<number, number>>): Requests {
  const buckets = Array.from({ length: BUCKETS.length + 1 }, (_, index) => counts[index] ?? 0);
  return { method: 'GET', route, status, buckets, sum: 1 };
}

interface Given {
  readonly pid?: number;
  readonly slot?: number;
  readonly uptimeSeconds?: number;
  readonly requests?: readonly Requests[];
}

const zeros = <K extends string>(names: readonly K[]): Record<K, number> =>
  Object.fromEntries(names.map(name => [name, 0])) as Record<K, number>;

function worker({ pid = 1, slot = 0, uptimeSeconds = 60, requests: series = [] }: Given): Snapshot {
  return {
    ...IDLE,
    recent: { ...IDLE.recent, p50Seconds: 0.001_23, p99Seconds: 0.02, requestsPerSecond: 3 },
    slot,
    pid,
    phase: 'serving',
    counters: zeros(COUNTERS),
    gauges: { ...zeros(GAUGES), uptimeSeconds, rssBytes: 1_000, activeRequests: 2 },
    requests: series,
  };
}

function look(at: number, snapshots: readonly Snapshot[]): Look {
  const asked = snapshots.map(snapshot => ({ ...snapshot, isGone: false, snapshot }));
  return { at, app: 'cabe', supervisedBy: 'pm2', status: statusOfWorkers(asked), snapshots };
}

test('every worker has its figures, the median included', () => {
  const moment = momentOf(look(5_000, [worker({}), worker({ pid: 2, slot: 1 })]), undefined);
  expect(moment).toMatchObject({ at: 5_000, app: 'cabe', state: 'ready', served: 2, wanted: 2, routes: [] });
  expect(moment.workers[1]).toEqual({
    slot: 1,
    pid: 2,
    state: 'ready',
    generation: null,
    restarts: null,
    uptimeMs: 60_000,
    cpu: 0,
    memory: 1_000,
    eventLoopUtilization: 0,
    requestsPerSecond: 3,
    p50Ms: 1.2,
    p99Ms: 20,
    inFlight: 2,
  });
});

test('a worker of a version before this one has no median', () => {
  const { p50Seconds: _, ...recent } = worker({}).recent;
  const older = { ...worker({}), recent } as Snapshot;
  expect(momentOf(look(1, [older]), undefined).workers[0]).toMatchObject({ p50Ms: null, p99Ms: 20 });
});

test('a worker that does not answer has no figures', () => {
  const status = statusOfWorkers([{ slot: 0, pid: 7, isGone: false, snapshot: undefined }]);
  const moment = momentOf({ ...look(1, []), status }, undefined);
  expect(moment).toMatchObject({ state: 'down', served: 0, wanted: 1, why: ['slot 0 does not answer'] });
  expect(moment.workers[0]).toMatchObject({ pid: 7, state: 'hung', p50Ms: null, cpu: null });
});

test('a route has the requests since the look before, of all workers', () => {
  const before = look(0, [
    worker({ requests: [requests('/a', 200, { 0: 10 })] }),
    worker({ pid: 2, slot: 1 }),
  ]);
  const after = look(2_000, [
    worker({ requests: [requests('/a', 200, { 0: 14 }), requests('/a', 500, { 2: 2 })] }),
    worker({ pid: 2, slot: 1, requests: [requests('/a', 200, { 0: 2 }), requests('/b', 200, { 14: 1 })] }),
  ]);
  expect(momentOf(after, before).routes).toEqual([
    // Eight requests: six below 5 ms, two from 10 to 25 ms.
    { method: 'GET', route: '/a', requestsPerSecond: 4, errorsPerSecond: 1, p50Ms: 3.3, p99Ms: 24.4 },
    { method: 'GET', route: '/b', requestsPerSecond: 0.5, errorsPerSecond: 0, p50Ms: 10_000, p99Ms: 10_000 },
  ]);
});

test('a route without requests since then is not shown', () => {
  const same = [worker({ requests: [requests('/a', 200, { 0: 10 })] })];
  expect(momentOf(look(1_000, same), look(0, same)).routes).toEqual([]);
});

test('a new worker counts from its start, one that was silent before does not', () => {
  const series = [requests('/a', 200, { 0: 10 })];
  const young = look(1_000, [worker({ uptimeSeconds: 0.5, requests: series })]);
  expect(momentOf(young, look(0, [])).routes).toMatchObject([{ requestsPerSecond: 10 }]);
  const old = look(1_000, [worker({ uptimeSeconds: 60, requests: series })]);
  expect(momentOf(old, look(0, [])).routes).toEqual([]);
});

test('the busiest fifty routes are shown', () => {
  const series = Array.from({ length: 60 }, (_, index) => requests(`/${index}`, 200, { 0: index + 1 }));
  const { routes } = momentOf(look(1_000, [worker({ requests: series })]), look(0, [worker({})]));
  expect(routes).toHaveLength(50);
  expect(routes[0]?.route).toBe('/59');
  expect(routes.at(-1)?.route).toBe('/10');
});
