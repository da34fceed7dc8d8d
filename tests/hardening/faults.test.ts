/** The quickest faults of `yarn hardening faults`, and that a fault which does not hold is noticed. */
import { cleanUp } from '../support/processes.js';
import { FAULTS } from './faults/all.js';
import type { Fault } from './faults/fault.js';
import { table } from './faults/table.js';
import { tryFault } from './faults/trial.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

function named(wanted: string): Fault {
  const fault = FAULTS.find(({ name }) => name === wanted);
  if (fault === undefined) throw new Error(`there is no fault ${wanted}`);
  return fault;
}

test.each(['worker-killed', 'tmp-emptied', 'odd-names'])('%s', async name => {
  const { problems, healedMs } = await tryFault(named(name), 'native');
  expect(problems).toEqual([]);
  expect(healedMs).toBeGreaterThanOrEqual(0);
});

test('what does not hold is reported', async () => {
  const never: Fault = {
    name: 'never',
    what: 'No fault',
    under: ['alone'],
    inflict: ({ expect: mustHold }) => Promise.resolve(mustHold(false, 'it rains')),
    logged: { alone: /never said/ },
    slowestMs: 0,
    healsWithinMs: 5_000,
    heals: 'never',
  };
  const outcome = await tryFault(never, 'alone');
  expect(outcome.problems).toEqual([
    'it rains',
    expect.stringMatching(/^the slowest answer took \d+ ms, expected at most 0 ms$/),
    'the log has no line like /never said/',
  ]);
  expect(table([outcome])).toContain('(3 expectations not held)');
});

test('every fault has a name of its own', () => {
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
});
