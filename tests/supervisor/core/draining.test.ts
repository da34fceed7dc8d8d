/** A worker that drains without an order, after a failure or a signal: its slot is free at once. */
import type { Pool } from '../../../src/supervisor/core/model.js';
import { describeService, type Facts } from '../../../src/supervisor/report/status.js';
import { describeEffect } from '../../support/world.js';
import {
  after,
  exited,
  memoryExceeded,
  draining,
  run,
  reloadRead,
  ready,
  stop,
  two,
  wake,
  type TimedEvents,
} from './events.js';

/** The effects, except those that lend and return sockets. */
const effectsOf = (pool = two(), ...events: readonly TimedEvents[]): string[] =>
  run(pool, ...events)
    .effects.map(describeEffect)
    .filter(effect => !/^(lend|return) /.test(effect));
const statesOf = (pool: ReturnType<typeof two>): string[] => pool.slots.map(({ at }) => at);

test('has a successor while it drains, and its exit changes nothing else', () => {
  const { pool } = run(two(), [5_000, draining(1, 0)]);
  expect(effectsOf(two(), [5_000, draining(1, 0)])).toEqual(['fork w3 into 0 (g1)']);
  expect(pool.slots[0]).toMatchObject({ at: 'starting', worker: { id: 3 } });
  expect(pool.draining).toEqual([{ id: 1, slot: 0, generation: 1, deadline: 6_600, ordered: false }]);
  expect(after(pool, [5_400, exited(1, 0)])).toEqual({ ...pool, draining: [] });
});

test('has its exit reported once it has exited', () => {
  const facts: Facts = {
    now: 6_000,
    process: () => undefined,
    pidOf: worker => 100 + worker,
    endOf: () => undefined,
    usageOf: () => undefined,
  };
  const rowsOf = (pool: Pool): unknown[] =>
    describeService(pool, facts, null).workers.map(({ slot, state, lastExit }) => [
      slot,
      state,
      lastExit?.reason ?? null,
    ]);
  const pool = after(two(), [5_000, draining(1, 0)], [5_200, ready(3)]);
  expect(rowsOf(pool)).toEqual([
    [0, 'ready', null],
    [1, 'ready', null],
    [0, 'draining', null],
  ]);
  expect(rowsOf(after(pool, [5_400, exited(1, 0)]))).toEqual([
    [0, 'ready', 'exited (code 0)'],
    [1, 'ready', null],
  ]);
});

test('has its reason remembered', () => {
  const pool = after(two(), [5_000, { type: 'worker.draining', worker: 1, code: 1, reason: 'boom' }]);
  expect(pool.slots[0]?.history.exits).toEqual([
    { worker: 1, code: 1, signal: null, cause: { type: 'drained', reason: 'boom' } },
  ]);
});

test('is killed if it drains for longer than kill_timeout', () => {
  const pool = after(two(), [5_000, draining(1, 0)], [5_200, ready(3)]);
  expect(effectsOf(pool, [6_599, wake])).toEqual([]);
  expect(effectsOf(pool, [6_600, wake], [9_000, wake])).toEqual(['kill w1']);
});

test('is subject to the same restart policy as one that has exited', () => {
  expect(statesOf(after(two(), [5_000, exited(1)], [5_200, ready(3)], [5_300, draining(3, 1)]))[0]).toBe(
    'backoff',
  );
  expect(statesOf(after(two(), [5_000, draining(1, 7)]))[0]).toBe('stopped');
});

test('leaves its slot to a successor that is already there', () => {
  const replacing = after(two(), [5_000, memoryExceeded(1)]);
  expect(effectsOf(replacing, [5_100, draining(1, 0)])).toEqual([]);
  expect(statesOf(after(replacing, [5_100, draining(1, 0)], [5_200, ready(3)]))).toEqual(['ready', 'ready']);
});

test('aborts a reload as the canary, and the old worker keeps serving', () => {
  const replacing = after(two(), [5_000, reloadRead()], [5_200, ready(3)]);
  expect(effectsOf(replacing, [5_300, draining(3, 0)])).toEqual([
    'reload.ended aborted: the new worker of slot 0 exited (code 0) before it had proved stable',
  ]);
  const pool = after(replacing, [5_300, draining(3, 0)]);
  expect(pool.slots[0]).toMatchObject({ at: 'ready', worker: { id: 1 } });
  expect(pool.draining).toMatchObject([{ id: 3, generation: 2, deadline: 6_900 }]);
});

test('changes nothing if it is unknown, drains already, or has got an order', () => {
  for (const pool of [after(two(), [5_000, draining(1, 0)]), after(two(), [5_000, stop])])
    for (const worker of [1, 99])
      expect(run(pool, [5_100, draining(worker)])).toEqual({ pool, effects: [], notices: [] });
});
