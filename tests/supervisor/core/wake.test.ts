/** When the core asks to be woken. */
import type { Millis, Pool } from '../../../src/supervisor/core/model.js';
import { createPool, step } from '../../../src/supervisor/core/step.js';
import { workersOf } from '../../../src/supervisor/core/pool.js';
import { nextWake } from '../../../src/supervisor/core/wake.js';
import {
  after,
  LIMITED,
  exited,
  memoryExceeded,
  reloadRead,
  ready,
  forkFailed,
  scaled,
  stop,
  stopNow,
  two,
  wake,
} from './events.js';

test.each<[string, Pool, Millis | undefined]>([
  ['never, before the first event', createPool(LIMITED, 2), undefined],
  ['at the end of listen_timeout, for a worker that starts', after(createPool(LIMITED, 2), [7, wake]), 3_007],
  ['never, once all serve', two(), undefined],
  ['at the end of a backoff', after(two(), [5_000, exited(1)], [5_010, exited(3)]), 5_110],
  ['at the retry of a fork that failed', after(two(), [5_000, exited(1), forkFailed(3)]), 5_100],
  ['at the end of kill_timeout, for a worker that drains', after(two(), [5_000, scaled(1)]), 6_600],
  ['at the end of listen_timeout, for a successor', after(two(), [5_000, memoryExceeded(1)]), 8_000],
  ['when a canary is trusted', after(two(), [5_000, reloadRead()], [5_200, ready(3)]), 6_200],
  [
    'when a canary is trusted whose old worker has exited',
    after(two(), [5_000, reloadRead()], [5_200, ready(3), exited(1)]),
    6_200,
  ],
  [
    'never for a worker that serves while a canary starts',
    after(two(), [5_000, reloadRead()], [5_100, exited(2)], [5_200, ready(4)]),
    8_000,
  ],
  ['never, for a slot that is stopped', after(two(), [5_000, exited(1, 7)]), undefined],
  ['never, once the last worker is being killed', after(two(), [5_000, stopNow]), undefined],
  [
    'never, once the service has given up',
    after(two({ maxRestarts: 1 }), [5_000, exited(1), exited(2)], [5_010, exited(3), exited(4)]),
    undefined,
  ],
  ['a minute after a restart', after(two(), [5_000, exited(1)], [5_010, ready(3)]), 65_000],
  ['never, once the service has ended', after(two(), [5_000, stop, exited(1), exited(2)]), undefined],
  ['at the earliest of all', after(two(), [5_000, exited(1)], [5_010, exited(3), scaled(1)]), 5_110],
  ['at the earliest of all, in any order', after(two(), [5_000, scaled(1), exited(1)]), 6_600],
])('%s', (_name, pool, expected) => {
  expect(nextWake(pool)).toBe(expected);
});

test('an early wake changes nothing, one at the requested time does', () => {
  const pool = after(two(), [5_000, exited(1)], [5_010, exited(3)]);
  expect(step(pool, wake, 5_109).pool).toBe(pool);
  expect(step(pool, wake, 5_110).pool).not.toBe(pool);
});

test('a slot holds no worker, one, or the old one and its successor', () => {
  const ids = (pool: Pool): number[][] => pool.slots.map(slot => workersOf(slot).map(({ id }) => id));
  expect(ids(after(two(), [5_000, exited(1, 7), memoryExceeded(2)]))).toEqual([[], [2, 3]]);
  expect(ids(after(two(), [5_000, exited(1)]))).toEqual([[3], [2]]);
});
