/** Durations of requests in shared memory: buckets, labels, and a bound on both. */
import {
  BUCKETS,
  countRequests,
  createStatsMemory,
  readDurations,
  type RequestStats,
  type Series,
} from '../../src/observability/request-stats.js';

function counting(): {
  stats: RequestStats;
  reported: Series[];
  read: (index: number) => ReturnType<typeof readDurations>;
} {
  const memory = createStatsMemory();
  const reported: Series[] = [];
  return {
    stats: countRequests(memory, one => reported.push(one)),
    reported,
    read: index => readDurations(memory, index),
  };
}

test('a request falls into the first bucket that is not below it', () => {
  const { stats, read } = counting();
  for (const seconds of [0, 0.005, 0.0051, 10, 11]) stats.count('GET', '/a', 200, seconds);
  const { buckets, sum } = read(0);
  expect(buckets).toHaveLength(BUCKETS.length + 1);
  expect([buckets[0], buckets[1], buckets.at(-2), buckets.at(-1)]).toEqual([2, 1, 1, 1]);
  expect(sum).toBeCloseTo(21.0101);
});

test('each method, route and status is a series, reported once; made-up methods are one', () => {
  const { stats, reported, read } = counting();
  stats.count('GET', '/a', 200, 1);
  stats.count('GET', '/a', 500, 1);
  stats.count('FOO', '/a', 200, 1);
  stats.count('BAR', '/a', 200, 1);
  stats.count('GET', '/a', 200, 1);
  expect(reported).toEqual([
    { method: 'GET', route: '/a', status: 200 },
    { method: 'GET', route: '/a', status: 500 },
    { method: '_OTHER', route: '/a', status: 200 },
  ]);
  expect([0, 1, 2].map(index => read(index).sum)).toEqual([2, 1, 2]);
});

test('routes without end are counted together', () => {
  const { stats, reported, read } = counting();
  for (let route = 0; route < 5_000; route++) stats.count('GET', `/users/${route}`, 200, 1);
  expect(reported).toHaveLength(500);
  expect(reported.at(-1)).toEqual({ method: '_OTHER', route: '_OTHER', status: 0 });
  expect(read(499).sum).toBe(5_000 - 499);
});
