/**
 * Random lives of a simulated service: the same 10 000 every time. `yarn hardening lives` lives a million others, and
 * `yarn hardening lives --lives 1 --seed 42` one alone, with its transcript.
 */
import { live, missing, type Tally } from '../../support/random-lives.js';
import { POLICY, World } from '../../support/world.js';

const LIVES = 10_000;

test(`${LIVES} random lives keep all invariants`, () => {
  const tally: Tally = new Map();
  for (let seed = 1; seed <= LIVES; seed++) live(seed, tally);
  expect(missing(tally)).toEqual([]);
}, 120_000);

test('max_restarts ends a crash loop without delay', () => {
  const world = new World({ instances: 2, behave: () => ({ exitsAfter: 0, code: 1 }) }).pass(60_000);
  expect(world.forks).toHaveLength(2 * POLICY.maxRestarts);
  expect(world.exitCode).toBe(3);
});
