/** Events that are derived from two looks at the workers. */
import { hangsIn, workerEvents, workersBefore } from '../../src/live/happenings.js';
import type { Moment } from '../../src/live/messages.js';
import type { AskedWorker } from '../../src/live/worker-status.js';
import type { Snapshot } from '../../src/observability/snapshot.js';

const worker = (
  pid: number,
  { phase = 'serving', blockedSeconds = 0, blockedAt = null as string | null } = {},
): AskedWorker => ({
  slot: 0,
  pid,
  isGone: false,
  snapshot: { slot: 0, pid, phase, blockedAt, gauges: { blockedSeconds } } as unknown as Snapshot,
});
const dead = (pid: number): AskedWorker => ({ slot: 0, pid, isGone: true, snapshot: undefined });

const eventsOf = (before: AskedWorker[], now: AskedWorker[]) =>
  workerEvents(before, now, 1).map(({ kind, pid }) => [kind, pid]);

test('a worker that serves is shown once', () => {
  expect(eventsOf([], [worker(1)])).toEqual([['ready', 1]]);
  expect(eventsOf([worker(1)], [worker(1)])).toEqual([]);
  expect(eventsOf([worker(1, { phase: 'booting' })], [worker(1)])).toEqual([['ready', 1]]);
});

test('a dead socket is a crash, one that was taken away an end', () => {
  expect(eventsOf([worker(1)], [dead(1), worker(2)])).toEqual([
    ['crash', 1],
    ['ready', 2],
  ]);
  expect(eventsOf([dead(1)], [dead(1)])).toEqual([]);
  expect(eventsOf([worker(1, { phase: 'draining' })], [])).toEqual([['stop', 1]]);
});

describe('the first look of a worker that has just taken the port', () => {
  const seen = (...rows: readonly (readonly [number | null, string])[]) =>
    ({ at: 1_000, workers: rows.map(([pid, state]) => ({ slot: 0, pid, state })) }) as unknown as Moment;
  const first = (last: Moment | undefined, now: AskedWorker[], at = 2_000) =>
    workerEvents(workersBefore(now, last, at), now, at).map(({ kind, pid }) => [kind, pid]);

  test('tells what has happened since the last moment that another has seen', () => {
    expect(
      first(seen([1, 'ready'], [2, 'hung'], [3, 'starting']), [worker(2), worker(3), worker(4)]),
    ).toEqual([
      ['stop', 1],
      ['ready', 3],
      ['ready', 4],
    ]);
    expect(first(seen([1, 'ready'], [null, 'vacant']), [dead(1), worker(2)])).toEqual([
      ['crash', 1],
      ['ready', 2],
    ]);
  });

  test('tells of a dead worker that no one has seen', () => {
    expect(first(undefined, [dead(1), worker(2)])).toEqual([['crash', 1]]);
    expect(first(seen([2, 'ready']), [dead(1), worker(2)])).toEqual([['crash', 1]]);
  });

  test('tells nothing of workers of long ago', () => {
    expect(first(seen([1, 'ready']), [worker(2)], 20_000)).toEqual([]);
  });
});

test('a blocked loop is shown once, with its stack as soon as that is there', () => {
  const none = new Set<number>();
  expect(hangsIn([worker(1, { blockedSeconds: 0.9 })], none, 1)).toEqual({ known: none, events: [] });
  expect(hangsIn([worker(1, { blockedSeconds: 1.1 })], none, 1).events).toEqual([]);
  const first = hangsIn([worker(1, { blockedSeconds: 1.2, blockedAt: 'at spin (app.js:3)' })], none, 1);
  expect(first.events).toEqual([
    {
      at: 1,
      kind: 'hang',
      slot: 0,
      pid: 1,
      text: 'Worker 1 has been blocked for 1.2 s',
      stack: 'at spin (app.js:3)',
    },
  ]);
  expect(hangsIn([worker(1, { blockedSeconds: 2.2 })], first.known, 2).events).toEqual([]);
  expect(hangsIn([worker(1)], first.known, 3).known).toEqual(none);
  expect(hangsIn([worker(1, { blockedSeconds: 2 })], none, 4).events).toMatchObject([{ stack: null }]);
});
