/** A worker that drains unasked, after a failure of its own or on somebody's signal: its seat is free at once. */
import type { Pool } from '../../../src/supervisor/core/model.js';
import { workerRows, type Facts } from '../../../src/supervisor/report/status.js';
import { describeEffect } from '../../support/world.js';
import {
  after,
  exited,
  grown,
  leaving,
  play,
  read,
  ready,
  stop,
  two,
  wake,
  type Happening,
} from './happenings.js';

const loan = /^(lend|return) /;
const effectsOf = (pool = two(), ...happenings: readonly Happening[]): string[] =>
  play(pool, ...happenings)
    .effects.map(describeEffect)
    .filter(effect => !loan.test(effect));
const seats = (pool: ReturnType<typeof two>): string[] => pool.slots.map(({ at }) => at);

test('has a successor while it still drains, and its exit changes nothing any more', () => {
  const { pool } = play(two(), [5_000, leaving(1)]);
  expect(effectsOf(two(), [5_000, leaving(1)])).toEqual(['fork w3 into 0 (g1)']);
  expect(pool.slots[0]).toMatchObject({ at: 'starting', worker: { id: 3 } });
  expect(pool.draining).toEqual([{ id: 1, slot: 0, generation: 1, deadline: 6_600, ordered: false }]);
  expect(after(pool, [5_400, exited(1)])).toEqual({ ...pool, draining: [] });
});

test('has its exit told when it has come', () => {
  const facts: Facts = {
    process: () => undefined,
    pidOf: worker => 100 + worker,
    usageOf: () => undefined,
  };
  const told = (pool: Pool): unknown[] =>
    workerRows(pool, facts).map(({ slot, state, lastExit }) => [slot, state, lastExit?.reason ?? null]);
  const drains = after(two(), [5_000, leaving(1)], [5_200, ready(3)]);
  expect(told(drains)).toEqual([
    [0, 'ready', null],
    [1, 'ready', null],
    [0, 'draining', null],
  ]);
  expect(told(after(drains, [5_400, exited(1, 0)]))).toEqual([
    [0, 'ready', 'exited (code 0)'],
    [1, 'ready', null],
  ]);
});

test('is killed if it drains for longer than kill_timeout', () => {
  const pool = after(two(), [5_000, leaving(1)], [5_200, ready(3)]);
  expect(effectsOf(pool, [6_599, wake])).toEqual([]);
  expect(effectsOf(pool, [6_600, wake], [9_000, wake])).toEqual(['kill w1']);
});

test('is held to the same restart policy as one that has exited', () => {
  expect(seats(after(two(), [5_000, exited(1)], [5_200, ready(3)], [5_300, leaving(3, 1)]))[0]).toBe(
    'backoff',
  );
  expect(seats(after(two(), [5_000, leaving(1, 7)]))[0]).toBe('stopped');
});

test('leaves its seat to a successor that sits in it already', () => {
  const replacing = after(two(), [5_000, grown(1)]);
  expect(effectsOf(replacing, [5_100, leaving(1)])).toEqual([]);
  expect(seats(after(replacing, [5_100, leaving(1)], [5_200, ready(3)]))).toEqual(['ready', 'ready']);
});

test('is no proof of a new build: the reload is aborted, and the old worker serves on', () => {
  const replacing = after(two(), [5_000, read()], [5_200, ready(3)]);
  expect(effectsOf(replacing, [5_300, leaving(3)])).toEqual([
    'reload.ended aborted: the new worker of slot 0 exited (code 0) before it had proved stable',
  ]);
  const { slots, draining } = after(replacing, [5_300, leaving(3)]);
  expect(slots[0]).toMatchObject({ at: 'ready', worker: { id: 1 } });
  expect(draining).toMatchObject([{ id: 3, generation: 2, deadline: 6_900 }]);
});

test('is no news where it is unknown, has said so already, or has been told to leave', () => {
  for (const pool of [after(two(), [5_000, leaving(1)]), after(two(), [5_000, stop])])
    for (const worker of [1, 99])
      expect(play(pool, [5_100, leaving(worker)])).toEqual({ pool, effects: [], notices: [] });
});
