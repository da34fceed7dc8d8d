/** How long a slot waits before its next worker, and when it gives up. */
import type { Exit, Policy } from '../../../src/supervisor/core/model.js';
import { newHistory } from '../../../src/supervisor/core/pool.js';
import {
  exponentialDelay,
  decideRestart,
  forkFailureDelay,
  restartDelay,
  type RestartDecision,
} from '../../../src/supervisor/core/policy.js';
import { POLICY } from '../../support/world.js';

const first = (count: number, delay: (failures: number) => number): number[] =>
  Array.from({ length: count }, (_, index) => delay(index + 1));

describe('the exponential series', () => {
  test('is that of PM2, to the millisecond', () => {
    expect(first(16, failures => exponentialDelay(100, failures))).toEqual([
      100, 150, 225, 337, 505, 757, 1_135, 1_702, 2_553, 3_829, 5_743, 8_614, 12_921, 15_000, 15_000, 15_000,
    ]);
  });

  test.each([
    ['1 ms, which the factor 1.5 does not change', 1, [1, 1, 1]],
    ['2 ms', 2, [2, 3, 4, 6, 9]],
    ['just below the ceiling', 14_999, [14_999, 15_000, 15_000]],
    ['the ceiling', 15_000, [15_000, 15_000]],
    ['more than the ceiling, which only the first delay may exceed', 20_000, [20_000, 15_000, 15_000]],
  ])('from %s', (_name, start, expected) => {
    expect(first(expected.length, failures => exponentialDelay(start, failures))).toEqual(expected);
  });

  test('applies to failed forks, from 100 ms on', () => {
    expect(first(6, forkFailureDelay)).toEqual([100, 150, 225, 337, 505, 757]);
  });

  test('needs no loop over a million failures', () => {
    expect(exponentialDelay(100, 1e15)).toBe(15_000);
    expect(exponentialDelay(1, 1e15)).toBe(1);
  });
});

describe('the delay before the next worker', () => {
  test.each<[string, Partial<Policy>, number, number]>([
    ['nothing, without any delay', {}, 3, 0],
    ['nothing, after a stable worker', { restartDelayMs: 500, expBackoffRestartDelayMs: 100 }, 0, 0],
    ['always the same, with restart_delay', { restartDelayMs: 500 }, 3, 500],
    ['the series, with exp_backoff_restart_delay', { expBackoffRestartDelayMs: 100 }, 3, 225],
    ['the series, with both', { restartDelayMs: 500, expBackoffRestartDelayMs: 100 }, 1, 100],
  ])('is %s', (_name, policy, unstable, expected) => {
    expect(restartDelay({ ...POLICY, ...policy }, unstable)).toBe(expected);
  });
});

describe('the restart decision', () => {
  const decisionFor = (
    policy: Partial<Policy>,
    exit: Partial<Exit>,
    { unstable = 1, everReady = true } = {},
  ): RestartDecision =>
    decideRestart(
      { ...POLICY, ...policy },
      { worker: 1, code: 1, signal: null, cause: undefined, ...exit },
      { ...newHistory(1), unstable },
      everReady,
    );
  const soon: RestartDecision = { at: 'backoff', delay: 0 };

  test('is another worker, for any code', () => {
    for (const code of [0, 1, 255]) expect(decisionFor({}, { code })).toEqual(soon);
  });

  test('is to stop without autorestart, however the worker exited', () => {
    expect(decisionFor({ autorestart: false }, { code: 0 })).toEqual({ at: 'stopped' });
    expect(decisionFor({ autorestart: false }, { code: null, signal: 'SIGKILL' })).toEqual({ at: 'stopped' });
    expect(decisionFor({ autorestart: false }, {}, { unstable: 99 })).toEqual({ at: 'stopped' });
  });

  test('is to stop after one of stop_exit_codes, also at the limit of max_restarts', () => {
    expect(decisionFor({ stopExitCodes: [3, 0] }, { code: 0 })).toEqual({ at: 'stopped' });
    expect(decisionFor({ stopExitCodes: [3, 0] }, { code: 3 }, { unstable: 16 })).toEqual({ at: 'stopped' });
    expect(decisionFor({ stopExitCodes: [3, 0] }, { code: 1 })).toEqual(soon);
  });

  test('ignores stop_exit_codes after a signal', () => {
    expect(decisionFor({ stopExitCodes: [0, 9, 137] }, { code: null, signal: 'SIGKILL' })).toEqual(soon);
  });

  test.each([
    [1, soon],
    [15, soon],
    [16, { at: 'errored' }],
    [17, { at: 'errored' }],
  ])('after %i unstable exits of at most 16 is %p', (unstable, expected) => {
    expect(decisionFor({}, {}, { unstable })).toEqual(expected);
    expect(decisionFor({}, {}, { unstable, everReady: false })).toEqual(expected);
  });

  test('with a backoff is never errored, unless no worker of the service was ever ready', () => {
    const policy = { expBackoffRestartDelayMs: 100 };
    expect(decisionFor(policy, {}, { unstable: 99 })).toEqual({ at: 'backoff', delay: 15_000 });
    expect(decisionFor(policy, {}, { unstable: 15, everReady: false })).toEqual({
      at: 'backoff',
      delay: 15_000,
    });
    expect(decisionFor(policy, {}, { unstable: 16, everReady: false })).toEqual({ at: 'errored' });
  });
});
