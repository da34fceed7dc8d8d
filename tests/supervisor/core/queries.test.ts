/** Questions of the shell to a pool. */
import {
  isGenerationNeeded,
  isSettled,
  rememberedWorkers,
  scaleProgress,
  workersInSlots,
} from '../../../src/supervisor/core/queries.js';
import { wantedFor } from '../../../src/supervisor/core/pool.js';
import { createPool } from '../../../src/supervisor/core/step.js';
import { after, LIMITED, exited, reloadRead, ready, scaled, stop, two } from './events.js';

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
