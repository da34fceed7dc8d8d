/** A short selection of the scenarios, and whether all of them, the table and the judge hold together. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/processes.js';
import { DRIVERS } from './drivers/driver.js';
import { allScenarios, mismatch, play } from './play.js';
import { CHAPTERS } from './scenario.js';
import { rowAsExpected, rowsOf, withoutDate } from './table.js';

jest.setTimeout(60_000);

const all = allScenarios();
const page = readFileSync(join(ROOT, 'docs', 'parity.md'), 'utf8');

/** Those that are fast and touch most of what there is; `yarn parity` plays them all. */
const SELECTION = [
  'file-wins-over-shell',
  'wait-ready-honoured',
  'crash-by-sigkill',
  'drain-answers-in-flight',
  'reload-order',
  'scale-down',
];

describe.each(SELECTION)('%s', name => {
  test.each(DRIVERS)('%s', async driver => {
    const scenario = all.find(each => each.name === name);
    if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
    expect(mismatch(scenario, driver, await play(scenario, driver))).toBeUndefined();
  });
});

test('the table has a row for each scenario, and says what the scenario states', () => {
  const plain = (row: string): string => row.replaceAll(/ +/g, ' ');
  const told = [...rowsOf(page)].map(([name, row]) => [name, plain(row)]);
  const stated = all.map(scenario => [scenario.name, plain(rowAsExpected(scenario))]);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(stated));
});

test('every scenario belongs to a chapter, and "same" is said only where both do the same', () => {
  for (const { chapter, expect: stated } of all) {
    expect(CHAPTERS).toContain(chapter);
    expect(stated.verdict === 'same').toBe(stated.pm2 === stated.native);
  }
});

test('whatever differs from what is stated is a failure, under either supervisor', () => {
  const [scenario] = all;
  if (scenario === undefined) throw new Error('there are no scenarios');
  for (const driver of DRIVERS) {
    expect(mismatch(scenario, driver, { saw: scenario.expect[driver] })).toBeUndefined();
    expect(mismatch(scenario, driver, { saw: 'something else' })).toMatch(
      new RegExp(`^${driver} did: something else`),
    );
  }
});

test('only the date and the machine may differ between two tables', () => {
  const elsewhere = page
    .replace(/Seen on .*/, 'Seen on 2001-01-01.')
    .replace(/, Node \d+, \w+\./, ', Node 1, elsewhere.');
  expect(withoutDate(elsewhere)).toBe(withoutDate(page));
  expect(withoutDate(page.replace('native better', 'same'))).not.toBe(withoutDate(page));
});
