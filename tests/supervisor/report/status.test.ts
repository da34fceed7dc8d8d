/** The pool as `status --json` has it: rows, exits, and why the service is not in order. */
import type { Pool } from '../../../src/supervisor/core/model.js';
import { createPool } from '../../../src/supervisor/core/step.js';
import { describeService, type Facts, type ServiceStatus } from '../../../src/supervisor/report/status.js';
import {
  after,
  bootFailed,
  exited,
  LIMITED,
  memoryExceeded,
  ready,
  scaled,
  two,
  unresponsive,
  wake,
} from '../core/events.js';

const NOW = Date.UTC(2030, 0, 1);
beforeEach(() => jest.useFakeTimers({ now: NOW }));
afterEach(() => jest.useRealTimers());

/** Worker n has pid 100 + n; it has run for n seconds, and exited ten seconds ago. */
function described(pool: Pool, now = 10_000, more: Partial<Facts> = {}): ServiceStatus {
  const facts: Facts = {
    now,
    process: () => undefined,
    pidOf: worker => 100 + worker,
    endOf: worker => ({ at: NOW - 10_000, uptime: worker * 1_000 }),
    usageOf: () => undefined,
    ...more,
  };
  return describeService(pool, facts, null);
}

const reasonsOf = (pool: Pool): (string | undefined)[] =>
  described(pool).workers.map(({ lastExit }) => lastExit?.reason);

test('a service in order has nothing to explain', () => {
  expect(described(two())).toMatchObject({ state: 'ready', served: 2, restartsLastMinute: 0, why: [] });
  expect(described(createPool(LIMITED, 2)).why).toEqual([]);
  expect(described(after(createPool(LIMITED, 2), [0, wake])).why).toEqual([]);
});

test('a worker that hangs is explained, and its row tells for how long', () => {
  const { why, workers } = described(after(two(), [5_000, unresponsive(1)], [10_000, wake]), 25_000);
  expect(why).toEqual(['slot 0 has hung for 20 s']);
  expect(workers.map(({ state, hungFor }) => [state, hungFor])).toEqual([
    ['hung', 20_000],
    ['ready', null],
  ]);
});

test('a restart is explained for a minute, with the last exit', () => {
  const pool = after(two(), [5_000, exited(1, 3)], [5_200, ready(3)]);
  expect(described(pool).why).toEqual([
    'slot 0 restarted 1 time in the last minute; last exit: 101 exited (code 3) (10 s ago, after 1 s)',
  ]);
  expect(described(after(pool, [65_000, wake])).why).toEqual([]);
});

test('a slot without a worker is explained, and one in backoff tells when it gets its next worker', () => {
  const pool = after(two({ restartDelayMs: 5_000 }), [5_000, exited(1)], [5_200, exited(3)]);
  const { why, workers } = described(pool, 6_200);
  expect(why).toEqual([
    'slot 0 is in backoff, next try in 4 s, restarted 1 time in the last minute; last exit: 103 exited (code 1) (10 s ago, after 3 s)',
  ]);
  expect(workers.map(({ state, nextTryIn }) => [state, nextTryIn])).toEqual([
    ['backoff', 4_000],
    ['ready', null],
  ]);
  expect(described(after(two(), [5_000, exited(1, 7)])).why).toEqual([
    'slot 0 is stopped; last exit: 101 exited (code 7) (10 s ago, after 1 s)',
  ]);
});

test('a job between two runs has nothing to explain', () => {
  const job = createPool({ ...LIMITED, autorestart: false, isJob: true }, 1);
  expect(described(after(job, [0, wake], [1_000, exited(1, 0)])).why).toEqual([]);
  expect(described(after(job, [0, wake], [1_000, exited(1, 1)])).why).toEqual([
    'slot 0 is stopped; last exit: 101 exited (code 1) (10 s ago, after 1 s)',
  ]);
});

test('exits have what is known of the worker, the newest first', () => {
  const pool = after(
    two({ maxRestarts: 9 }),
    [5_000, exited(1, null, 'SIGSEGV')],
    [5_200, bootFailed(3), exited(3)],
  );
  const common = { at: NOW - 10_000 };
  expect(described(pool).workers[0]?.exits).toEqual([
    {
      ...common,
      pid: 103,
      code: 1,
      signal: null,
      reason: 'exited (code 1): no database',
      error: 'no database',
      uptime: 3_000,
    },
    {
      ...common,
      pid: 101,
      code: null,
      signal: 'SIGSEGV',
      reason: 'exited (signal SIGSEGV)',
      error: null,
      uptime: 1_000,
    },
  ]);
});

test('the reason is what the worker said, in one line of bounded length', () => {
  const failed = (reason: string): Pool =>
    after(two(), [5_000, { type: 'worker.draining', worker: 1, code: 1, reason }, exited(1)]);
  expect(reasonsOf(failed('a\n\tb'))[0]).toBe('exited (code 1): a b');
  expect(described(failed('a\n\tb')).workers[0]?.lastExit?.error).toBe('a b');
  expect(reasonsOf(failed('x'.repeat(1_000)))[0]).toHaveLength(300);
});

test('a worker that was replaced for its memory has its sizes as the reason', () => {
  const pool = after(two(), [5_000, memoryExceeded(1)], [5_200, ready(3)]);
  expect(reasonsOf(pool)[0]).toBe('replaced at 231.0 MB, more than max_memory_restart (150.0 MB)');
  expect(reasonsOf(after(pool, [5_300, exited(1, 0)]))[0]).toBe(reasonsOf(pool)[0]);
});

test('a process that was never forked, or still drains, has no times', () => {
  const pool = after(two(), [5_000, exited(1)], [8_000, wake]);
  const { lastExit } =
    described(pool, 8_000, { endOf: () => undefined, pidOf: () => undefined }).workers[0] ?? {};
  expect(lastExit).toMatchObject({ pid: null, reason: 'not ready within 3000 ms', at: null, uptime: null });
});

test('slots that are gone explain nothing', () => {
  expect(described(after(two(), [5_000, exited(2, 7), scaled(1)])).why).toEqual([]);
});
