/** Questions of the shell to a pool. */
import {
  isGenerationNeeded,
  isSettled,
  rememberedWorkers,
  scaleProgress,
  stableAt,
  startProgress,
  workersInSlots,
} from '../../../src/supervisor/core/queries.js';
import { wantedFor } from '../../../src/supervisor/core/pool.js';
import { createPool } from '../../../src/supervisor/core/step.js';
import { after, LIMITED, exited, reloadRead, ready, retire, run, scaled, stop, two, wake } from './events.js';

const reloading = after(two(), [5_000, reloadRead()]);

test('a pool is settled while every slot has a serving worker and no other worker starts', () => {
  expect(isSettled(two())).toBe(true);
  expect(isSettled(reloading)).toBe(false);
  expect(isSettled(createPool(LIMITED, 2))).toBe(false);
  expect(isSettled(after(two(), [5_000, exited(1)]))).toBe(false);
});

test('workers in slots are the current ones and their successors', () => {
  expect(workersInSlots(reloading)).toEqual([1, 3, 2]);
});

test('remembered workers are those whose exits some slot remembers', () => {
  const pool = after(two(), [5_000, exited(1)], [5_200, ready(3)], [5_300, exited(3)], [5_400, exited(2)]);
  expect(rememberedWorkers(pool)).toEqual(new Set([1, 2, 3]));
});

test('a generation is needed while it serves, or while it is the newest', () => {
  expect([1, 2, 3].map(generation => isGenerationNeeded(two(), generation, 3))).toEqual([true, false, true]);
});

test('a worker of a reload is one of as many as its file wants, unless scale has set a number meanwhile', () => {
  const grows = after(two(), [5_000, reloadRead(2, LIMITED, 5)]);
  expect([1, 2].map(generation => wantedFor(grows, generation))).toEqual([2, 5]);
  const scaledBefore = after(two(), [4_000, scaled(3)], [5_000, reloadRead(2, LIMITED, 2)]);
  expect([1, 2].map(generation => wantedFor(scaledBefore, generation))).toEqual([3, 3]);
});

describe('scaling', () => {
  const more = after(two(), [5_000, scaled(3)]);

  test('is pending while workers start, drain or are replaced', () => {
    expect(scaleProgress(more, 3)).toBe('pending');
    expect(scaleProgress(after(two(), [5_000, scaled(1)]), 1)).toBe('pending');
    expect(scaleProgress(reloading, 2)).toBe('pending');
  });

  test('is done when every slot has a serving worker', () => {
    expect(scaleProgress(after(more, [5_200, ready(3)]), 3)).toBe('done');
  });

  test('fails when another number is wanted meanwhile, or the service stops', () => {
    expect(scaleProgress(after(more, [5_100, scaled(4)]), 3)).toEqual({ type: 'superseded', wanted: 4 });
    expect(scaleProgress(after(more, [5_100, stop]), 3)).toEqual({ type: 'service-stops' });
  });

  test('fails when a slot does not become ready', () => {
    expect(scaleProgress(after(more, [5_100, exited(3, 7)]), 3)).toEqual({
      type: 'slot-not-ready',
      slot: 2,
      state: 'stopped',
    });
  });
});

describe('a service that is to replace another', () => {
  const served = after(createPool(LIMITED, 2), [0, wake], [100, ready(1)], [300, ready(2)]);

  test('is proved once all workers have served for min_uptime', () => {
    expect(startProgress(createPool(LIMITED, 2), 0)).toBe('pending');
    expect(startProgress(after(createPool(LIMITED, 2), [0, wake], [100, ready(1)]), 60_000)).toBe('pending');
    expect(stableAt(after(createPool(LIMITED, 2), [0, wake], [100, ready(1)]))).toBe(Infinity);
    expect(stableAt(served)).toBe(300 + LIMITED.minUptimeMs);
    expect(startProgress(served, stableAt(served) - 1)).toBe('pending');
    expect(startProgress(served, stableAt(served))).toBe('proved');
  });

  test('is lost with the first worker that exits, and when it is to stop', () => {
    expect(startProgress(after(served, [400, exited(2, 7)]), 60_000)).toMatchObject({ exit: { code: 7 } });
    expect(startProgress(after(served, [400, exited(2, 1)]), 60_000)).toMatchObject({ exit: { code: 1 } });
    expect(startProgress(after(served, [400, stop]), 60_000)).toEqual({ exit: undefined });
  });

  test('has the number of workers that scale has set, unless its file has another by now', () => {
    const before = { wanted: 5, fromFile: 2, sockets: 6 };
    expect(createPool(LIMITED, 2, before)).toMatchObject({ wanted: 5, fromFile: 2, sockets: 6 });
    expect(createPool(LIMITED, 3, before)).toMatchObject({ wanted: 3, fromFile: 3, sockets: 6 });
  });

  test('accepts on the sockets of slots that it does not have', () => {
    const { effects } = run(
      createPool(LIMITED, 1, { wanted: 1, fromFile: 1, sockets: 2 }),
      [0, wake],
      [100, ready(1)],
    );
    expect(effects).toContainEqual({ type: 'lend', slot: 1, to: 1 });
  });
});

test('workers of a supervisor that has been replaced retire', () => {
  const { effects, pool } = run(two(), [5_000, retire]);
  expect(effects.filter(({ type }) => type === 'order')).toEqual([
    { type: 'order', worker: 1, how: 'retire' },
    { type: 'order', worker: 2, how: 'retire' },
  ]);
  expect(pool.verdict).toEqual({ code: 0, exit: undefined });
});
