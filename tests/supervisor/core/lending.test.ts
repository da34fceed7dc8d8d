/** Which worker accepts connections for a slot without a serving worker. */
import type { Outcome } from '../../../src/supervisor/core/model.js';
import { createPool, step } from '../../../src/supervisor/core/step.js';
import { describeEffect } from '../../support/world.js';
import {
  after,
  LIMITED,
  exited,
  memoryExceeded,
  responsive,
  run,
  reloadRead,
  ready,
  scaled,
  unresponsive,
  stop,
  two,
  wake,
} from './events.js';

const loansOf = ({ effects }: Outcome): string[] =>
  effects.filter(({ type }) => type === 'lend' || type === 'return').map(describeEffect);

const four = after(createPool(LIMITED, 4), [0, wake, ready(1), ready(2), ready(3), ready(4)]);

test('nothing is lent while no worker serves', () => {
  expect(loansOf(run(createPool(LIMITED, 2), [0, wake]))).toEqual([]);
});

test('nothing is lent once every slot has a serving worker', () => {
  expect(four.lent).toEqual(new Map());
  expect(step(four, wake, 100)).toEqual({ pool: four, effects: [], notices: [] });
});

test('the first serving worker borrows the sockets of the others, and returns them one by one', () => {
  const first = run(createPool(LIMITED, 3), [0, wake], [100, ready(2)]);
  expect(loansOf(first)).toEqual(['lend 0 to w2', 'lend 2 to w2']);
  expect(loansOf(run(first.pool, [200, ready(1)]))).toEqual(['return 0 from w2']);
  expect(loansOf(run(first.pool, [200, ready(1), ready(3)]))).toEqual([
    'return 0 from w2',
    'return 2 from w2',
  ]);
});

test('several sockets are spread over the serving workers', () => {
  const { pool } = run(four, [5_000, exited(1), exited(3)]);
  expect(pool.lent).toEqual(
    new Map([
      [0, 2],
      [2, 2],
    ]),
  );
  expect(after(four, [5_000, exited(1)], [5_100, exited(2)]).lent).toEqual(
    new Map([
      [0, 3],
      [1, 4],
    ]),
  );
});

test('a lent socket moves when its borrower exits, and an exited worker returns nothing', () => {
  const lent = run(four, [5_000, exited(1)]);
  expect(loansOf(lent)).toEqual(['lend 0 to w2']);
  expect(loansOf(run(lent.pool, [5_010, exited(2)]))).toEqual(['lend 0 to w3', 'lend 1 to w4']);
});

test('a lent socket moves when its borrower has been replaced', () => {
  const lent = after(four, [5_000, exited(1)], [5_010, memoryExceeded(2)]);
  expect(loansOf(run(lent, [5_200, ready(6)]))).toEqual(['lend 0 to w6']);
});

test('a lent socket stays with its borrower while that serves, even if others change', () => {
  const lent = after(four, [5_000, exited(1)]);
  expect(loansOf(run(lent, [5_010, exited(4)]))).toEqual(['lend 3 to w3']);
  expect(after(lent, [5_010, exited(4)]).lent.get(0)).toBe(2);
});

test('nothing is returned by a borrower that has exited', () => {
  const lent = after(two(), [5_000, exited(1)]);
  const none = run(lent, [5_010, exited(2)]);
  expect(loansOf(none)).toEqual([]);
  expect(none.pool.lent).toEqual(new Map());
});

test('the old worker accepts for its slot until its successor is trusted', () => {
  expect(loansOf(run(two(), [5_000, reloadRead()], [5_200, ready(3)], [6_200, wake]))).toEqual([]);
});

test('the socket of a removed slot stays open and lent', () => {
  const { pool, ...rest } = run(four, [5_000, scaled(2)]);
  expect(loansOf({ pool, ...rest })).toEqual(['lend 2 to w1', 'lend 3 to w2']);
  expect(pool.sockets).toBe(4);
  expect(loansOf(run(pool, [6_000, scaled(3)], [6_200, ready(5)]))).toEqual(['return 2 from w1']);
});

test('a stopped slot lends its socket as well', () => {
  expect(loansOf(run(four, [5_000, exited(3, 7)]))).toEqual(['lend 2 to w4']);
});

test('a service that stops lends nothing', () => {
  const lent = after(four, [5_000, exited(1)]);
  expect(loansOf(run(lent, [5_010, stop]))).toEqual([]);
  expect(after(lent, [5_010, stop]).lent).toEqual(new Map());
  expect(loansOf(run(four, [5_010, stop]))).toEqual([]);
});

describe('an unresponsive worker', () => {
  test('has its socket lent until it responds again', () => {
    const { pool, ...rest } = run(four, [5_000, unresponsive(2)]);
    expect(loansOf({ pool, ...rest })).toEqual(['lend 1 to w3']);
    expect(loansOf(run(pool, [5_300, responsive(2)]))).toEqual(['return 1 from w3']);
  });

  test('keeps its slot and counts as serving', () => {
    const { slots } = after(four, [5_000, unresponsive(2)]);
    expect(slots.map(({ at }) => at)).toEqual(['ready', 'ready', 'ready', 'ready']);
  });

  test('changes nothing when it is reported again', () => {
    const once = after(four, [5_000, unresponsive(2)]);
    expect(run(once, [5_010, unresponsive(2)])).toEqual({ pool: once, effects: [], notices: [] });
    expect(run(four, [5_000, responsive(2)])).toEqual({ pool: four, effects: [], notices: [] });
  });

  test('borrows nothing: what it had borrowed moves to another worker', () => {
    const lent = after(four, [5_000, exited(1)]);
    expect(lent.lent).toEqual(new Map([[0, 2]]));
    expect(loansOf(run(lent, [5_010, unresponsive(2)]))).toEqual([
      'lend 0 to w3',
      'lend 1 to w4',
      'return 0 from w2',
    ]);
  });

  test('has its socket lent to no one if all are unresponsive, until one responds', () => {
    const lent = after(four, [5_000, unresponsive(1)], [5_001, unresponsive(2)], [5_002, unresponsive(3)]);
    const all = run(lent, [5_010, unresponsive(4)]);
    expect(all.pool.lent).toEqual(new Map());
    expect(loansOf(all)).toEqual(['return 0 from w4', 'return 1 from w4', 'return 2 from w4']);
    expect(loansOf(run(all.pool, [5_300, responsive(3)]))).toEqual([
      'lend 0 to w3',
      'lend 1 to w3',
      'lend 3 to w3',
    ]);
  });

  test('borrows the socket of a slot without a worker if all are unresponsive, until one responds', () => {
    const allUnresponsive = after(
      four,
      [5_000, unresponsive(1)],
      [5_001, unresponsive(2)],
      [5_002, unresponsive(3)],
      [5_003, unresponsive(4)],
    );
    const oneExited = run(allUnresponsive, [5_010, exited(2)]);
    expect(loansOf(oneExited)).toEqual(['lend 1 to w3']);
    expect(loansOf(run(oneExited.pool, [5_300, responsive(4)]))).toEqual([
      'lend 0 to w4',
      'lend 1 to w4',
      'lend 2 to w4',
      'return 1 from w3',
    ]);
    expect(loansOf(run(allUnresponsive, [5_010, scaled(1)]))).toEqual([
      'lend 1 to w1',
      'lend 2 to w1',
      'lend 3 to w1',
    ]);
  });

  test('keeps its socket while its successor accepts', () => {
    const replacing = after(two(), [5_000, reloadRead()], [5_200, ready(3)]);
    const hung = run(replacing, [5_300, unresponsive(1)]);
    expect(loansOf(hung)).toEqual([]);
    expect(loansOf(run(hung.pool, [5_310, unresponsive(3)]))).toEqual(['lend 0 to w2']);
    expect(loansOf(run(hung.pool, [5_310, unresponsive(3)], [5_700, responsive(3)]))).toEqual([
      'lend 0 to w2',
      'return 0 from w2',
    ]);
  });

  test('changes nothing while it starts, or if it is unknown', () => {
    const starting = after(two(), [5_000, reloadRead()]);
    expect(run(starting, [5_010, unresponsive(3)])).toEqual({ pool: starting, effects: [], notices: [] });
    expect(run(starting, [5_010, unresponsive(99)])).toEqual({ pool: starting, effects: [], notices: [] });
    const fresh = after(createPool(LIMITED, 2), [0, wake]);
    expect(run(fresh, [10, unresponsive(1)])).toEqual({ pool: fresh, effects: [], notices: [] });
  });
});
