/** Who accepts for a slot that nobody serves. */
import type { Outcome } from '../../../src/supervisor/core/model.js';
import { createPool, step } from '../../../src/supervisor/core/step.js';
import { describeEffect } from '../../support/world.js';
import {
  after,
  EDGES,
  exited,
  grown,
  heard,
  play,
  read,
  ready,
  scaled,
  silent,
  stop,
  two,
  wake,
} from './happenings.js';

const loansOf = ({ effects }: Outcome): string[] =>
  effects.filter(({ type }) => type === 'lend' || type === 'return').map(describeEffect);

const four = after(createPool(EDGES, 4), [0, wake, ready(1), ready(2), ready(3), ready(4)]);

test('nothing is lent while nobody serves', () => {
  expect(loansOf(play(createPool(EDGES, 2), [0, wake]))).toEqual([]);
});

test('nothing is lent once everybody serves', () => {
  expect(four.loans).toEqual(new Map());
  expect(step(four, wake, 100)).toEqual({ pool: four, effects: [], notices: [] });
});

test('the sockets of the others are lent to the first that serves, and returned one by one', () => {
  const first = play(createPool(EDGES, 3), [0, wake], [100, ready(2)]);
  expect(loansOf(first)).toEqual(['lend 0 to w2', 'lend 2 to w2']);
  expect(loansOf(play(first.pool, [200, ready(1)]))).toEqual(['return 0 from w2']);
  expect(loansOf(play(first.pool, [200, ready(1), ready(3)]))).toEqual([
    'return 0 from w2',
    'return 2 from w2',
  ]);
});

test('several are spread over those who serve', () => {
  const { pool } = play(four, [5_000, exited(1), exited(3)]);
  expect(pool.loans).toEqual(
    new Map([
      [0, 2],
      [2, 2],
    ]),
  );
  expect(after(four, [5_000, exited(1)], [5_100, exited(2)]).loans).toEqual(
    new Map([
      [0, 3],
      [1, 4],
    ]),
  );
});

test('a loan moves when its borrower ends, without being taken back from the dead', () => {
  const lent = play(four, [5_000, exited(1)]);
  expect(loansOf(lent)).toEqual(['lend 0 to w2']);
  expect(loansOf(play(lent.pool, [5_010, exited(2)]))).toEqual(['lend 0 to w3', 'lend 1 to w4']);
});

test('a loan moves when its borrower has been replaced', () => {
  const lent = after(four, [5_000, exited(1)], [5_010, grown(2)]);
  expect(loansOf(play(lent, [5_200, ready(6)]))).toEqual(['lend 0 to w6']);
});

test('a loan stays where it is while its borrower serves, whoever else comes and goes', () => {
  const lent = after(four, [5_000, exited(1)]);
  expect(loansOf(play(lent, [5_010, exited(4)]))).toEqual(['lend 3 to w3']);
  expect(after(lent, [5_010, exited(4)]).loans.get(0)).toBe(2);
});

test('whose owner comes back when nobody is left to take it from is simply over', () => {
  const lent = after(two(), [5_000, exited(1)]);
  const nobody = play(lent, [5_010, exited(2)]);
  expect(loansOf(nobody)).toEqual([]);
  expect(nobody.pool.loans).toEqual(new Map());
});

test('the old worker accepts for its slot until its successor is trusted', () => {
  expect(loansOf(play(two(), [5_000, read()], [5_200, ready(3)], [6_200, wake]))).toEqual([]);
});

test('the socket of a slot that was scaled away is lent for good, for it stays open', () => {
  const { pool, ...rest } = play(four, [5_000, scaled(2)]);
  expect(loansOf({ pool, ...rest })).toEqual(['lend 2 to w1', 'lend 3 to w2']);
  expect(pool.sockets).toBe(4);
  expect(loansOf(play(pool, [6_000, scaled(3)], [6_200, ready(5)]))).toEqual(['return 2 from w1']);
});

test('a stopped slot lends its socket as well', () => {
  expect(loansOf(play(four, [5_000, exited(3, 7)]))).toEqual(['lend 2 to w4']);
});

test('a service that stops lends nothing', () => {
  const lent = after(four, [5_000, exited(1)]);
  expect(loansOf(play(lent, [5_010, stop]))).toEqual([]);
  expect(after(lent, [5_010, stop]).loans).toEqual(new Map());
  expect(loansOf(play(four, [5_010, stop]))).toEqual([]);
});

describe('a worker whose loop is blocked', () => {
  test('has its socket lent until it is heard of again', () => {
    const { pool, ...rest } = play(four, [5_000, silent(2)]);
    expect(loansOf({ pool, ...rest })).toEqual(['lend 1 to w3']);
    expect(loansOf(play(pool, [5_300, heard(2)]))).toEqual(['return 1 from w3']);
  });

  test('keeps its seat: it serves, and is counted', () => {
    const { slots } = after(four, [5_000, silent(2)]);
    expect(slots.map(({ at }) => at)).toEqual(['ready', 'ready', 'ready', 'ready']);
  });

  test('is told once, and what is told twice changes nothing', () => {
    const once = after(four, [5_000, silent(2)]);
    expect(play(once, [5_010, silent(2)])).toEqual({ pool: once, effects: [], notices: [] });
    expect(play(four, [5_000, heard(2)])).toEqual({ pool: four, effects: [], notices: [] });
  });

  test('borrows nothing: what it had borrowed is lent to another, and taken back from it', () => {
    const lent = after(four, [5_000, exited(1)]);
    expect(lent.loans).toEqual(new Map([[0, 2]]));
    expect(loansOf(play(lent, [5_010, silent(2)]))).toEqual([
      'lend 0 to w3',
      'lend 1 to w4',
      'return 0 from w2',
    ]);
  });

  test('has nobody to lend to where all are silent, until one is heard', () => {
    const lent = after(four, [5_000, silent(1)], [5_001, silent(2)], [5_002, silent(3)]);
    const nobody = play(lent, [5_010, silent(4)]);
    expect(nobody.pool.loans).toEqual(new Map());
    expect(loansOf(nobody)).toEqual(['return 0 from w4', 'return 1 from w4', 'return 2 from w4']);
    expect(loansOf(play(nobody.pool, [5_300, heard(3)]))).toEqual([
      'lend 0 to w3',
      'lend 1 to w3',
      'lend 3 to w3',
    ]);
  });

  test('borrows the socket of an empty seat all the same where all are silent, until one is heard', () => {
    const starved = after(
      four,
      [5_000, silent(1)],
      [5_001, silent(2)],
      [5_002, silent(3)],
      [5_003, silent(4)],
    );
    const left = play(starved, [5_010, exited(2)]);
    expect(loansOf(left)).toEqual(['lend 1 to w3']);
    expect(loansOf(play(left.pool, [5_300, heard(4)]))).toEqual([
      'lend 0 to w4',
      'lend 1 to w4',
      'lend 2 to w4',
      'return 1 from w3',
    ]);
    expect(loansOf(play(starved, [5_010, scaled(1)]))).toEqual([
      'lend 1 to w1',
      'lend 2 to w1',
      'lend 3 to w1',
    ]);
  });

  test('needs no loan while its successor accepts beside it', () => {
    const replacing = after(two(), [5_000, read()], [5_200, ready(3)]);
    const hung = play(replacing, [5_300, silent(1)]);
    expect(loansOf(hung)).toEqual([]);
    expect(loansOf(play(hung.pool, [5_310, silent(3)]))).toEqual(['lend 0 to w2']);
    expect(loansOf(play(hung.pool, [5_310, silent(3)], [5_700, heard(3)]))).toEqual([
      'lend 0 to w2',
      'return 0 from w2',
    ]);
  });

  test('means nothing while it starts, and when it is unknown', () => {
    const starting = after(two(), [5_000, read()]);
    expect(play(starting, [5_010, silent(3)])).toEqual({ pool: starting, effects: [], notices: [] });
    expect(play(starting, [5_010, silent(99)])).toEqual({ pool: starting, effects: [], notices: [] });
    const fresh = after(createPool(EDGES, 2), [0, wake]);
    expect(play(fresh, [10, silent(1)])).toEqual({ pool: fresh, effects: [], notices: [] });
  });
});
