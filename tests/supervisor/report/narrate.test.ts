/** What the supervisor says: every line of its log, and the sentences that logs, status and commands share. */
import type { Effect, Event, Exit, Pool } from '../../../src/supervisor/core/model.js';
import { narrateEffect, narrateEvent } from '../../../src/supervisor/report/narrate.js';
import { endSentence, exitSentence, mistrustSentence } from '../../../src/supervisor/core/sentences.js';
import { createPool, step } from '../../../src/supervisor/core/step.js';
import {
  after,
  asked,
  EDGES,
  exited,
  failed,
  grown,
  listening,
  read,
  ready,
  refused,
  scaled,
  stop,
  two,
  wake,
} from '../core/happenings.js';

/** Worker n has pid 100 + n. */
const pid = (worker: number): number => 100 + worker;

/** The lines of an event at `now`, with their levels. */
function said(pool: Pool, event: Event, now = 5_000): string[] {
  const next = step(pool, event, now).pool;
  return narrateEvent(event, pool, next, now, pid).map(({ level, msg }) => `${level}: ${msg}`);
}

const trial = after(two(), [4_000, read()], [4_200, ready(3)]);
const crashed = after(two(), [4_900, exited(1)]);

test.each<[string, Pool, Event, string[]]>([
  ['a worker that ends unasked', two(), exited(1, 3), ['warn: Worker 101 exited (code 3)']],
  [
    'a worker that is killed',
    two(),
    exited(1, null, 'SIGSEGV'),
    ['warn: Worker 101 exited (signal SIGSEGV)'],
  ],
  [
    'a worker that had been told to leave',
    after(two(), [4_900, scaled(1)]),
    exited(2, 0),
    ['info: Worker 102 disconnected'],
  ],
  [
    'the wait for the next worker',
    crashed,
    exited(3),
    ['warn: Worker 103 exited (code 1)', 'warn: Slot 0 gets its next worker in 100 ms'],
  ],
  [
    'a slot that is left alone, with the reason',
    after(crashed, [4_950, failed(3)]),
    exited(3, 7),
    ['warn: Worker 103 exited (code 7)', 'warn: Slot 0 stopped: exited (code 7): no database'],
  ],
  [
    'a slot that is given up',
    after(two({ maxRestarts: 1 }), [4_900, exited(1)]),
    exited(3),
    ['warn: Worker 103 exited (code 1)', 'error: Slot 0 errored after 1 unstable exits in a row'],
  ],
  ['the end of a successor', trial, exited(3), ['warn: Worker 103 exited (code 1)']],
  ['the end of one whose successor takes over', trial, exited(1), ['warn: Worker 101 exited (code 1)']],
  [
    'a fork that failed',
    crashed,
    refused(3),
    ['error: Forking a worker failed: spawn EAGAIN', 'warn: Slot 0 gets its next worker in 100 ms'],
  ],
  ['a worker that has grown', two(), grown(1), ['warn: Worker 101 exceeds max_memory_restart, replacing it']],
  ['a worker that has grown again too soon', trial, grown(2), []],
  ['a reload that has to wait', trial, asked, ['info: Reload under way, another one follows it']],
  ['a further one that has to wait', after(trial, [4_500, asked]), asked, []],
  ['a reload that need not wait', two(), asked, []],
  ['the beginning of a reload', two(), read(), ['info: Reloading 2 workers']],
  ['a reload that comes too late', after(two(), [4_900, stop]), read(), []],
  ['another number of workers', two(), scaled(5), ['info: Scaling from 2 to 5 workers']],
  ['a number that comes too late', after(two(), [4_900, stop]), scaled(5), []],
  ['a worker that is ready', crashed, ready(3), []],
  ['a worker that listens', crashed, listening(3), []],
  ['a stop', two(), stop, []],
])('an event: %s', (_name, pool, event, expected) => {
  expect(said(pool, event)).toEqual(expected);
});

test('a wake tells of workers that were not ready in time', () => {
  expect(said(crashed, wake, 7_900)).toEqual(['error: Worker 103 not ready within 3000 ms']);
  expect(said(crashed, wake, 7_899)).toEqual([]);
});

test('whatever else happens first tells of them as well', () => {
  expect(said(crashed, exited(2, 3), 7_900)).toEqual([
    'warn: Worker 102 exited (code 3)',
    'error: Worker 103 not ready within 3000 ms',
  ]);
});

test('a wake tells nothing of ends that have been told', () => {
  const waiting = after(two(), [4_900, exited(1), exited(3)]);
  expect(said(waiting, wake, 5_000)).toEqual([]);
});

test('the wait for the next worker is told in whole milliseconds', () => {
  const event = exited(3);
  const pool = step(crashed, event, 5_000.4).pool;
  expect(narrateEvent(event, crashed, pool, 5_000.6, pid).at(-1)?.msg).toBe(
    'Slot 0 gets its next worker in 100 ms',
  );
});

const exit = (more: Partial<Exit> = {}): Exit => ({
  worker: 1,
  code: 1,
  signal: null,
  failure: undefined,
  ...more,
});

test.each<[Effect, string[]]>([
  [{ type: 'fork', worker: 9, slot: 0, generation: 1 }, ['info: Forking worker 1/2']],
  [{ type: 'order', worker: 1, how: 'stop' }, ['info: Disconnecting worker 101']],
  [{ type: 'order', worker: 1, how: 'retire' }, ['info: Disconnecting worker 101']],
  [{ type: 'kill', worker: 1 }, ['warn: Killing worker 101']],
  [{ type: 'reload.ended', aborted: undefined }, ['info: Reload finished']],
  [{ type: 'reload.ended', aborted: 'why' }, ['error: Reload aborted: why']],
  [
    { type: 'recycle.failed', slot: 1, reason: 'it did not boot' },
    ['error: The old worker of slot 1 stays: it did not boot'],
  ],
  [{ type: 'lend', slot: 0, to: 1 }, []],
  [{ type: 'return', slot: 0, from: 1 }, []],
  [{ type: 'reread' }, []],
  [
    { type: 'exit', verdict: { code: 0, exit: undefined } },
    ['info: All workers disconnected, master process exiting'],
  ],
  [
    { type: 'exit', verdict: { code: 3, exit: exit({ failure: { code: 1, message: 'no database' } }) } },
    ['fatal: No worker left, master process exiting with code 3: exited (code 1): no database'],
  ],
  [
    { type: 'exit', verdict: { code: 5, exit: exit({ code: 5, failure: { code: 5, message: 'PORT' } }) } },
    ['fatal: No worker left, master process exiting with code 5: PORT'],
  ],
  [
    { type: 'exit', verdict: { code: 6, exit: exit({ code: 6, failure: { code: 6, message: 'taken' } }) } },
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
  const lines = narrateEffect(effect, createPool(EDGES, 2), pid);
  expect(lines.map(({ level, msg }) => `${level}: ${msg}`)).toEqual(expected);
});

describe('the end of a worker in words', () => {
  const failure = { code: 1, message: 'no database' };

  test.each([
    [exit({ code: 0 }), 'exited (code 0)', 'exited (code 0)'],
    [exit({ code: null, signal: 'SIGKILL' }), 'exited (signal SIGKILL)', 'exited (signal SIGKILL)'],
    [exit({ failure }), 'exited (code 1)', 'exited (code 1): no database'],
    [exit({ code: null, failure }), '', 'no database'],
    [exit({ code: null }), '', ''],
  ])('%p', (which, end, whole) => {
    expect(endSentence(which)).toBe(end);
    expect(exitSentence(which)).toBe(whole);
  });

  test.each([
    [exit(), 'starting', 'the new worker of slot 2 exited (code 1) before it was ready'],
    [exit(), 'serving', 'the new worker of slot 2 exited (code 1) before it had proved stable'],
    [
      exit({ failure }),
      'starting',
      'the new worker of slot 2 exited (code 1) before it was ready: no database',
    ],
    [exit({ code: null, failure }), 'starting', 'the new worker of slot 2 failed to start: no database'],
  ] as const)('why it is not trusted: %p, %s', (which, state, expected) => {
    expect(mistrustSentence(2, which, state)).toBe(expected);
  });
});
