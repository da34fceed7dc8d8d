/** Every line of the supervisor's log, and the sentences that log, status and commands share. */
import type { Effect, Event, Exit, Pool } from '../../../src/supervisor/core/model.js';
import { narrateEffect, narrateNotice } from '../../../src/supervisor/report/narrate.js';
import {
  abortText,
  durationText,
  endText,
  exitText,
  scaleFailureText,
  sizeText,
  successorLostText,
} from '../../../src/supervisor/report/wording.js';
import { createPool, step } from '../../../src/supervisor/core/step.js';
import {
  after,
  reloadRequested,
  LIMITED,
  exited,
  bootFailed,
  memoryExceeded,
  listening,
  reloadRead,
  ready,
  responsive,
  forkFailed,
  scaled,
  stop,
  two,
  unresponsive,
  wake,
} from '../core/events.js';

/** Worker n has pid 100 + n. */
const pid = (worker: number): number => 100 + worker;

/** The log lines of an event at `now`, with their levels. */
function linesOf(pool: Pool, event: Event, now = 5_000): string[] {
  return step(pool, event, now)
    .notices.map(notice => narrateNotice(notice, pid))
    .map(({ level, msg }) => `${level}: ${msg}`);
}

const trial = after(two(), [4_000, reloadRead()], [4_200, ready(3)]);
const crashed = after(two(), [4_900, exited(1)]);

test.each([
  [900, '0.9 kB'],
  [49_357, '48.2 kB'],
  [2 ** 20, '1.0 MB'],
  [2 ** 30, '1024.0 MB'],
])('%d bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test.each<[string, Pool, Event, string[]]>([
  ['a worker that exits without an order', two(), exited(1, 3), ['warn: Worker 101 exited (code 3)']],
  [
    'a worker that is killed',
    two(),
    exited(1, null, 'SIGSEGV'),
    ['warn: Worker 101 exited (signal SIGSEGV)'],
  ],
  [
    'a worker that exits after an order',
    after(two(), [4_900, scaled(1)]),
    exited(2, 0),
    ['info: Worker 102 disconnected'],
  ],
  [
    'a backoff',
    crashed,
    exited(3),
    ['warn: Worker 103 exited (code 1)', 'warn: Restarting slot 0 in 100 ms (backoff)'],
  ],
  [
    'a slot that is stopped, with the reason',
    after(crashed, [4_950, bootFailed(3)]),
    exited(3, 7),
    ['warn: Worker 103 exited (code 7)', 'warn: Slot 0 stopped: exited (code 7): no database'],
  ],
  [
    'a slot that is errored',
    after(two({ maxRestarts: 1 }), [4_900, exited(1)]),
    exited(3),
    ['warn: Worker 103 exited (code 1)', 'error: Slot 0 errored after 1 unstable exits in a row'],
  ],
  ['the exit of a successor', trial, exited(3), ['warn: Worker 103 exited (code 1)']],
  ['the exit of a worker whose successor takes over', trial, exited(1), ['warn: Worker 101 exited (code 1)']],
  [
    'a fork that failed',
    crashed,
    forkFailed(3),
    ['error: Forking a worker failed: spawn EAGAIN', 'warn: Restarting slot 0 in 100 ms (backoff)'],
  ],
  [
    'a worker that exceeds its memory limit',
    two(),
    memoryExceeded(1),
    ['warn: Worker 101 exceeds max_memory_restart, replacing it: 231.0 MB, limit 150.0 MB'],
  ],
  ['a worker that exceeds its memory limit again too soon', trial, memoryExceeded(2), []],
  ['a reload that is queued', trial, reloadRequested, ['info: A reload is running; another one follows it']],
  ['a second reload that is queued', after(trial, [4_500, reloadRequested]), reloadRequested, []],
  ['a reload that is not queued', two(), reloadRequested, []],
  ['the beginning of a reload', two(), reloadRead(), ['info: Reloading 2 workers']],
  ['a reload that comes too late', after(two(), [4_900, stop]), reloadRead(), []],
  ['another number of workers', two(), scaled(5), ['info: Scaling from 2 to 5 workers']],
  ['a number that comes too late', after(two(), [4_900, stop]), scaled(5), []],
  ['a worker that is ready', crashed, ready(3), []],
  ['a worker that listens', crashed, listening(3), []],
  ['a stop', two(), stop, []],
])('an event: %s', (_name, pool, event, expected) => {
  expect(linesOf(pool, event)).toEqual(expected);
});

const LATE = ['error: Worker 103 not ready within 3000 ms', 'warn: Restarting slot 0 in 100 ms (backoff)'];

test('a wake reports workers that were not ready in time', () => {
  expect(linesOf(crashed, wake, 7_900)).toEqual(LATE);
  expect(linesOf(crashed, wake, 7_899)).toEqual([]);
});

test('any other event that comes first reports them as well', () => {
  expect(linesOf(crashed, exited(2, 3), 7_900)).toEqual(['warn: Worker 102 exited (code 3)', ...LATE]);
});

test('a successor that is not ready in time is reported, and its slot is not restarted', () => {
  const restarting = after(two(), [4_000, memoryExceeded(1)]);
  expect(linesOf(restarting, wake, 7_000)).toEqual([
    'error: Worker 103 not ready within 3000 ms',
    'error: The old worker of slot 0 stays: the new worker of slot 0 failed to start: not ready within 3000 ms',
  ]);
});

test('a worker that hangs is reported, and once it responds again', () => {
  const silent = after(two(), [5_000, unresponsive(1, 30)]);
  expect(linesOf(silent, wake, 9_970)).toEqual([
    'error: Worker 101 hangs: its event loop has been blocked for 5 s',
  ]);
  const hung = after(silent, [9_970, wake]);
  expect(linesOf(hung, wake, 20_000)).toEqual([]);
  expect(linesOf(hung, responsive(1), 26_000)).toEqual(['warn: Worker 101 responds again, it hung for 21 s']);
});

test('an exit is reported once', () => {
  const waiting = after(two(), [4_900, exited(1), exited(3)]);
  expect(linesOf(waiting, wake, 5_000)).toEqual([]);
});

test('a restart without a delay needs no line', () => {
  expect(linesOf(two({ restartDelayMs: 0 }), exited(1, 3), 500)).toEqual([
    'warn: Worker 101 exited (code 3)',
  ]);
});

test('a backoff is reported in whole milliseconds', () => {
  const { msg } = narrateNotice({ type: 'slot.backoff', slot: 0, delayMs: 99.4 }, pid);
  expect(msg).toBe('Restarting slot 0 in 100 ms (backoff)');
});

const exit = (more: Partial<Exit> = {}): Exit => ({
  worker: 1,
  code: 1,
  signal: null,
  cause: undefined,
  ...more,
});

test.each<[Effect, string[]]>([
  [{ type: 'fork', worker: 9, slot: 0, generation: 1 }, ['info: Forking worker 1/2']],
  [{ type: 'order', worker: 1, how: 'stop' }, ['info: Disconnecting worker 101']],
  [{ type: 'order', worker: 1, how: 'retire' }, ['info: Disconnecting worker 101']],
  [{ type: 'kill', worker: 1 }, ['warn: Killing worker 101']],
  [{ type: 'reload.ended', aborted: undefined }, ['info: Reload finished']],
  [
    { type: 'reload.ended', aborted: { type: 'service-stops' } },
    ['error: Reload aborted: the service stops'],
  ],
  [{ type: 'lend', slot: 0, to: 1 }, []],
  [{ type: 'return', slot: 0, from: 1 }, []],
  [{ type: 'load' }, []],
  [
    { type: 'exit', verdict: { code: 0, exit: undefined } },
    ['info: All workers disconnected, master process exiting'],
  ],
  [
    {
      type: 'exit',
      verdict: { code: 3, exit: exit({ cause: { type: 'boot-failed', code: 1, message: 'no database' } }) },
    },
    ['fatal: No worker left, master process exiting with code 3: exited (code 1): no database'],
  ],
  [
    {
      type: 'exit',
      verdict: { code: 5, exit: exit({ code: 5, cause: { type: 'boot-failed', code: 5, message: 'PORT' } }) },
    },
    ['fatal: No worker left, master process exiting with code 5: PORT'],
  ],
  [
    {
      type: 'exit',
      verdict: {
        code: 6,
        exit: exit({ code: 6, cause: { type: 'boot-failed', code: 6, message: 'taken' } }),
      },
    },
    ['fatal: No worker left, master process exiting with code 6: taken'],
  ],
  [
    { type: 'exit', verdict: { code: 5, exit: exit({ code: 5 }) } },
    ['fatal: No worker left, master process exiting with code 5: exited (code 5)'],
  ],
  [
    { type: 'exit', verdict: { code: 4, exit: undefined } },
    ['fatal: No worker left, master process exiting with code 4'],
  ],
])('an effect: %p', (effect, expected) => {
  const line = narrateEffect(effect, createPool(LIMITED, 2), pid);
  expect(line === undefined ? [] : [`${line.level}: ${line.msg}`]).toEqual(expected);
});

describe('the text of an exit', () => {
  const announced = { type: 'boot-failed', code: 1, message: 'no database' } as const;
  const refusedFork = { type: 'fork-failed', message: 'spawn EAGAIN' } as const;
  const late = { type: 'start-timeout', limitMs: 3_000 } as const;

  test.each([
    [exit({ code: 0 }), 'exited (code 0)', 'exited (code 0)'],
    [exit({ code: null, signal: 'SIGKILL' }), 'exited (signal SIGKILL)', 'exited (signal SIGKILL)'],
    [exit({ cause: announced }), 'exited (code 1)', 'exited (code 1): no database'],
    [exit({ code: null, cause: refusedFork }), '', 'spawn EAGAIN'],
    [exit({ code: null, cause: late }), '', 'not ready within 3000 ms'],
    [exit({ code: null }), '', ''],
  ])('%p', (which, end, whole) => {
    expect(endText(which)).toBe(end);
    expect(exitText(which)).toBe(whole);
  });

  test.each([
    [exit(), 'starting', 'the new worker of slot 2 exited (code 1) before it was ready'],
    [exit(), 'serving', 'the new worker of slot 2 exited (code 1) before it had proved stable'],
    [
      exit({ cause: announced }),
      'starting',
      'the new worker of slot 2 exited (code 1) before it was ready: no database',
    ],
    [
      exit({ code: null, cause: late }),
      'starting',
      'the new worker of slot 2 failed to start: not ready within 3000 ms',
    ],
  ] as const)('why a successor failed: %p, %s', (which, state, expected) => {
    expect(successorLostText({ slot: 2, exit: which, state })).toBe(expected);
    expect(abortText({ type: 'successor-lost', slot: 2, exit: which, state })).toBe(expected);
  });
});

test.each([
  [{ type: 'service-stops' }, 'the service stops'],
  [{ type: 'superseded', wanted: 3 }, '3 workers are wanted by now'],
  [{ type: 'slot-not-ready', slot: 1, state: 'errored' }, 'slot 1 is errored'],
] as const)('why scaling failed: %p', (failure, expected) => {
  expect(scaleFailureText(failure)).toBe(expected);
});

test.each([
  [-5, '0 ms'],
  [0, '0 ms'],
  [0.9, '0 ms'],
  [999, '999 ms'],
  [1_000, '1 s'],
  [59_999, '59 s'],
  [60_000, '1 m 0 s'],
  [200_000, '3 m 20 s'],
  [3_599_999, '59 m 59 s'],
  [3_600_000, '1 h 0 m'],
  [86_399_999, '23 h 59 m'],
  [86_400_000, '1 d 0 h'],
  [371 * 86_400_000 + 7 * 3_600_000, '371 d 7 h'],
])('%i ms is %s', (ms, expected) => {
  expect(durationText(ms)).toBe(expected);
});
