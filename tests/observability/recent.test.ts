/** Rates and quantiles of the last ten seconds. */
import { createLoopMemory } from '../../src/observability/loop-stats.js';
import { createRecent } from '../../src/observability/recent.js';
import { countRequests, createStatsMemory } from '../../src/observability/request-stats.js';

function setUp({ ageMs = 60_000, before = 0 } = {}) {
  const [stats, loop] = [createStatsMemory(), createLoopMemory()];
  const { count } = countRequests(stats, () => undefined);
  for (let n = 0; n < before; n++) count('GET', '/a', 200, 0.01);
  let now = 5_000;
  const recent = createRecent({ stats, loop, now: () => now, startedAt: now - ageMs });
  return {
    recent,
    requests: (seconds: number, times = 1) => {
      for (let n = 0; n < times; n++) count('GET', '/a', 200, seconds);
    },
    pass: (ms: number) => {
      for (const end = now + ms; now < end; recent.sample()) now += 250;
    },
  };
}

test('requests are counted over ten seconds, and forgotten then', () => {
  const { recent, requests, pass } = setUp();
  requests(0.01, 50);
  pass(5_000);
  expect(recent.figures().requestsPerSecond).toBe(10);
  pass(5_000);
  expect(recent.figures().requestsPerSecond).toBe(5);
  pass(1_250);
  expect(recent.figures()).toMatchObject({ requestsPerSecond: 0, p99Seconds: null });
});

test('requests before the first look count in a young process, not in an old one', () => {
  const young = setUp({ ageMs: 1_000, before: 20 });
  young.pass(1_000);
  expect(young.recent.figures().requestsPerSecond).toBe(10);
  expect(young.recent.figures().p99Seconds).toBeGreaterThan(0);
  young.pass(10_000);
  expect(young.recent.figures().requestsPerSecond).toBe(0);
  const old = setUp({ before: 20 });
  old.pass(1_000);
  expect(old.recent.figures()).toMatchObject({ requestsPerSecond: 0, p99Seconds: null });
});

test.each([0.000_01, 0.000_2, 0.003, 0.04, 0.5, 6, 70])(
  'p99 of %d s is at most a fifth above it',
  seconds => {
    const { recent, requests, pass } = setUp();
    requests(seconds, 10);
    pass(250);
    const p99 = recent.figures().p99Seconds ?? NaN;
    expect(p99).toBeGreaterThanOrEqual(seconds);
    expect(p99).toBeLessThanOrEqual(Math.max(0.000_05, seconds * 1.2));
  },
);

test('p99 is that of the slowest percent', () => {
  const { recent, requests, pass } = setUp();
  requests(0.001, 99);
  pass(250);
  expect(recent.figures().p99Seconds).toBeLessThan(0.002);
  expect(recent.figures().p50Seconds).toBeLessThan(0.002);
  requests(1, 3);
  expect(recent.figures().p99Seconds).toBeGreaterThanOrEqual(1);
});

test('a service that has rested for longer than the window has done nothing lately', () => {
  const { recent, requests } = setUp();
  expect(recent.figures()).toMatchObject({ requestsPerSecond: 0, p99Seconds: null, loopUtilization: null });
  requests(0.01);
  expect(recent.figures().p99Seconds).toBeGreaterThan(0);
});
