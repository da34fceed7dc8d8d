/** The one word for the state of the service, hung workers, and restarts of the last minute. */
import { healthOf, recentRestarts, servedCount, type Health } from '../../../src/supervisor/core/health.js';
import type { Pool } from '../../../src/supervisor/core/model.js';
import { createPool } from '../../../src/supervisor/core/step.js';
import { nextWake } from '../../../src/supervisor/core/wake.js';
import {
  after,
  draining,
  exited,
  LIMITED,
  memoryExceeded,
  ready,
  reloadRead,
  responsive,
  run,
  scaled,
  stop,
  two,
  unresponsive,
  wake,
  type TimedEvents,
} from './events.js';

/** The service with its first worker lost so many times, each time within a second of the last. */
const crashes = (count: number, pool = two({ expBackoffRestartDelayMs: 100 })): Pool =>
  after(
    pool,
    [5_000, exited(1)],
    ...Array.from({ length: count - 1 }, (_none, n): TimedEvents => {
      const worker = 3 + n;
      const at = 6_000 + n * 1_000;
      return [at, ready(worker), exited(worker)];
    }),
    [6_000 + count * 1_000, wake],
  );

const fresh = after(createPool(LIMITED, 2), [0, wake]);
const hung = after(two(), [5_000, unresponsive(1)], [10_000, wake]);

test.each<[string, Pool, Health, number]>([
  ['before its first worker', createPool(LIMITED, 2), 'starting', 0],
  ['while its first workers start', fresh, 'starting', 0],
  ['after a first start that failed', after(fresh, [100, exited(1)]), 'starting', 0],
  ['while every slot is served', two(), 'ready', 2],
  ['while a slot has no worker', after(two(), [5_000, exited(1)]), 'degraded', 1],
  ['while a slot is stopped', after(two(), [5_000, exited(1, 7)]), 'degraded', 1],
  ['while more workers are wanted', after(two(), [5_000, scaled(3)]), 'degraded', 2],
  ['while no slot is served', after(two(), [5_000, exited(1), exited(2)]), 'down', 0],
  ['while a worker is replaced', after(two(), [5_000, memoryExceeded(1)]), 'ready', 2],
  ['during a reload', after(two(), [5_000, reloadRead()]), 'reloading', 2],
  ['during a reload that loses a worker', after(two(), [5_000, reloadRead(), exited(2)]), 'reloading', 1],
  ['during a reload of what is down', after(two(), [5_000, exited(1), exited(2), reloadRead()]), 'down', 0],
  ['while a worker is unresponsive for a moment', after(two(), [5_000, unresponsive(1)]), 'ready', 2],
  ['while a worker hangs', hung, 'hung', 1],
  ['while a worker hangs, during a reload', after(hung, [11_000, reloadRead()]), 'hung', 1],
  ['while every worker hangs', after(hung, [11_000, unresponsive(2)], [16_000, wake]), 'down', 0],
  [
    'while the successor of a hung worker serves',
    after(hung, [11_000, reloadRead()], [11_200, ready(3)]),
    'hung',
    2,
  ],
  ['after two crashes of a slot', crashes(2), 'degraded', 1],
  ['after three crashes of a slot', crashes(3), 'crash-looping', 1],
  ['once it stops', after(hung, [11_000, stop]), 'stopping', 0],
])('%s the service is %3$s', (_name, pool, health, served) => {
  expect(healthOf(pool)).toBe(health);
  expect(servedCount(pool)).toBe(served);
});

describe('a crash loop', () => {
  test('without a worker that serves is an outage, also if none was ever ready', () => {
    expect(healthOf(after(crashes(3), [9_500, exited(2)]))).toBe('down');
    const never = after(
      createPool({ ...LIMITED, maxRestarts: 16 }, 1),
      [0, wake, exited(1)],
      [100, wake, exited(2)],
      [200, wake, exited(3)],
      [300, wake],
    );
    expect([healthOf(never), recentRestarts(never)]).toEqual(['down', 3]);
  });

  test('may go round all slots', () => {
    let pool = after(createPool(LIMITED, 6), [0, wake, ...[1, 2, 3, 4, 5, 6].map(ready)]);
    for (const worker of [1, 2, 3, 4]) pool = after(pool, [5_000, exited(worker)]);
    expect([healthOf(pool), recentRestarts(pool)]).toEqual(['degraded', 4]);
    pool = after(pool, [5_000, exited(5)]);
    expect([healthOf(pool), recentRestarts(pool)]).toEqual(['crash-looping', 5]);
  });

  test('is over for a slot that is given up', () => {
    const pool = after(
      two({ maxRestarts: 4 }),
      [5_000, exited(1)],
      [5_100, exited(3)],
      [5_200, wake, exited(4)],
      [5_300, wake, exited(5)],
      [5_400, wake],
    );
    expect(healthOf(pool)).toBe('crash-looping');
    const given = after(pool, [5_500, exited(6)]);
    expect([given.slots[0]?.at, healthOf(given)]).toEqual(['errored', 'degraded']);
  });

  test('is forgotten a minute after its restarts', () => {
    const pool = after(crashes(3), [9_500, ready(5)]);
    expect([healthOf(pool), recentRestarts(pool)]).toEqual(['crash-looping', 3]);
    expect(nextWake(pool)).toBe(65_000);
    const later = after(pool, [65_000, wake]);
    expect([healthOf(later), recentRestarts(later)]).toEqual(['ready', 2]);
    expect(after(later, [70_000, wake]).slots[0]?.history).toMatchObject({ restarts: 3, restartedAt: [] });
  });

  test('is over when a reload has replaced its build', () => {
    const serves = after(crashes(3), [9_500, ready(5)]);
    const reloaded = after(serves, [10_000, reloadRead()], [10_200, ready(6)], [11_200, wake]);
    expect(recentRestarts(reloaded)).toBe(0);
    const waits = after(crashes(3), [9_500, exited(5), reloadRead()]);
    expect(recentRestarts(waits)).toBe(0);
  });

  test('is not over when one of its workers is replaced for its memory', () => {
    const grown = after(crashes(3), [9_500, ready(5)], [9_600, memoryExceeded(5)], [9_800, ready(6)]);
    expect([grown.slots[0]?.history.unstable, recentRestarts(grown)]).toEqual([0, 3]);
  });
});

describe('a job', () => {
  const job = createPool({ ...LIMITED, autorestart: false, isJob: true }, 1);
  const running = after(job, [0, wake]);

  test('is in order while it runs, and after a run without a failure', () => {
    expect(healthOf(running)).toBe('ready');
    expect(healthOf(after(running, [1_000, exited(1, 0)]))).toBe('ready');
  });

  test('is not in order after a run that failed', () => {
    expect(healthOf(after(running, [1_000, ready(1), exited(1, 1)]))).toBe('down');
  });
});

describe('a worker whose heartbeats have stopped', () => {
  const silent = after(two(), [5_000, unresponsive(1, 30)]);

  test('is hung five seconds after its last heartbeat, and reported once', () => {
    expect(nextWake(silent)).toBe(9_970);
    expect(run(silent, [9_969, wake])).toEqual({ pool: silent, effects: [], notices: [] });
    const { pool, notices } = run(silent, [9_970, wake]);
    expect(notices).toEqual([{ type: 'hang.begun', worker: 1, hungMs: 5_000 }]);
    expect(run(pool, [20_000, wake])).toEqual({ pool, effects: [], notices: [] });
    expect(nextWake(pool)).toBeUndefined();
  });

  test('is reported when it responds again, if it was hung', () => {
    expect(run(silent, [9_000, responsive(1)])).toMatchObject({ pool: two(), notices: [] });
    const { pool, notices } = run(hung, [25_000, responsive(1)]);
    expect(notices).toEqual([{ type: 'hang.ended', worker: 1, hungMs: 20_000 }]);
    expect(healthOf(pool)).toBe('ready');
  });

  test('is no longer reported once it has exited or drains', () => {
    expect(run(after(hung, [11_000, draining(1)]), [12_000, responsive(1)]).notices).toEqual([]);
    expect(run(after(hung, [11_000, exited(1)]), [12_000, responsive(1)]).notices).toEqual([]);
  });
});
