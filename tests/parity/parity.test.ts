/** A short selection of the scenarios, and whether all of them, the table and the judge hold together. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, ROOT, until } from '../support/processes.js';
import { DRIVERS } from './drivers/driver.js';
import { allScenarios, mismatch, play } from './play.js';
import { MARK, remainsOf } from './remains.js';
import { CHAPTERS, same, type Scenario } from './scenario.js';
import type { Service } from './service.js';
import { rowAsExpected, rowsOf, withoutDate } from './table.js';

// Longer than a play that hangs: it is to be ended, not to be left behind.
jest.setTimeout(150_000);

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

describe('whatever a play has started goes with it', () => {
  const bare: Scenario = {
    chapter: 'The service itself',
    promise: 'it goes',
    play: async () => '',
    expect: same(''),
  };

  test.each(DRIVERS)('%s: one that hangs is ended, with all that it started', async driver => {
    const patience = new AbortController();
    let pids: number[] = [];
    const hangs: Scenario = {
      ...bare,
      async play(service) {
        pids = [...(await service.started(2)), service.supervisor() ?? 0];
        // Everybody is found, not only those that have been listed.
        expect(remainsOf(service.folder, [])).toEqual(expect.arrayContaining(pids));
        patience.abort();
        return new Promise(() => undefined);
      },
    };
    await expect(play(hangs, driver, patience)).rejects.toThrow(/^it hangs: not over after \d+ ms$/);
    expect(pids).toHaveLength(3);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test.each(DRIVERS)(
    '%s: one that leaves a process behind has failed, and the process is ended',
    async driver => {
      let pid = 0;
      const leaves: Scenario = {
        ...bare,
        async play(service) {
          const env = { ...process.env, [MARK]: service.folder };
          pid = spawn('sleep', ['60'], { env, detached: true, stdio: 'ignore' }).pid ?? 0;
          return '';
        },
      };
      await expect(play(leaves, driver)).rejects.toThrow(/^left behind: \d+ \(sleep 60\)$/);
      await until(() => !isAlive(pid), 'it has ended');
    },
  );

  test('nobody starts anything once the play is over', async () => {
    let escaped: Service | undefined;
    await play({ ...bare, play: async service => ((escaped = service), '') }, 'native');
    await expect(escaped?.start()).rejects.toThrow('the play is over');
    await expect(escaped?.workers()).rejects.toThrow('the play is over');
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

test('only date, duration and machine may differ between two tables', () => {
  const elsewhere = page
    .replace(/Seen on .*/, 'Seen on 2001-01-01, in 9 minutes.')
    .replace(/, Node \d+, \w+\./, ', Node 1, elsewhere.');
  expect(withoutDate(elsewhere)).toBe(withoutDate(page));
  expect(withoutDate(page.replace('native better', 'same'))).not.toBe(withoutDate(page));
});
