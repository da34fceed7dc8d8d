/** A selection of the scenarios, and that scenarios, page and cleaning up agree with each other. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, ROOT, until } from '../support/processes.js';
import { DRIVERS } from './drivers/driver.js';
import { processesOf, RUN_ID } from './leftovers.js';
import { loadScenarios, mismatch, runScenario } from './run.js';
import { same, SECTIONS, type Scenario } from './scenario.js';
import type { Service } from './service.js';
import { expectedRow, rowsOf, withoutDate } from './table.js';

// Longer than the timeout of a scenario, which also cleans up.
jest.setTimeout(150_000);

const all = loadScenarios();
const page = readFileSync(join(ROOT, 'docs', 'parity.md'), 'utf8');

/** Fast scenarios that touch most of the code; `yarn parity` runs all of them. */
const SELECTION = [
  'env-over-shell',
  'wait-ready',
  'crash-by-sigkill',
  'drain-answers-in-flight',
  'reload-order',
  'scale-down',
];

describe.each(SELECTION)('%s', name => {
  test.each(DRIVERS)('%s', async driver => {
    const scenario = all.find(each => each.name === name);
    if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
    expect(mismatch(scenario, driver, await runScenario(scenario, driver))).toBeUndefined();
  });
});

describe('a scenario ends with everything that it started', () => {
  const empty: Scenario = {
    section: 'This service',
    title: 'does nothing',
    run: async () => '',
    expect: same(''),
  };

  test.each(DRIVERS)('%s: one that hangs is ended with all its processes', async driver => {
    const timeout = new AbortController();
    let pids: number[] = [];
    const hangs: Scenario = {
      ...empty,
      async run(service) {
        pids = [...(await service.startAndServe(2)), service.supervisorPid() ?? 0];
        // All of them are found, not only those that were listed.
        expect(processesOf(service.folder, [])).toEqual(expect.arrayContaining(pids));
        timeout.abort();
        return new Promise(() => undefined);
      },
    };
    await expect(runScenario(hangs, driver, timeout)).rejects.toThrow(
      /^it hangs: not finished after \d+ ms$/,
    );
    expect(pids).toHaveLength(3);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test.each(DRIVERS)(
    '%s: one that leaves a process behind has failed, and the process is killed',
    async driver => {
      let pid = 0;
      const leaves: Scenario = {
        ...empty,
        async run(service) {
          const env = { ...process.env, [RUN_ID]: service.folder };
          pid = spawn('sleep', ['60'], { env, detached: true, stdio: 'ignore' }).pid ?? 0;
          return '';
        },
      };
      await expect(runScenario(leaves, driver)).rejects.toThrow(/^left behind: \d+ \(sleep 60\)$/);
      await until(() => !isAlive(pid), 'the process has ended');
    },
  );

  test('nothing is started once the run is over', async () => {
    let leaked: Service | undefined;
    await runScenario({ ...empty, run: async service => ((leaked = service), '') }, 'native');
    await expect(leaked?.start()).rejects.toThrow('the run is over');
    await expect(leaked?.workers()).rejects.toThrow('the run is over');
  });
});

test('the page has the row of each scenario', () => {
  const unpadded = (row: string): string => row.replaceAll(/ +/g, ' ');
  const written = [...rowsOf(page)].map(([name, row]) => [name, unpadded(row)]);
  const expected = all.map(scenario => [scenario.name, unpadded(expectedRow(scenario))]);
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(expected));
});

test('every scenario belongs to a section, and its verdict is "same" only if both do the same', () => {
  for (const { section, expect: expectation } of all) {
    expect(SECTIONS).toContain(section);
    expect(expectation.verdict === 'same').toBe(expectation.pm2 === expectation.native);
  }
});

test('any difference from the expectation is a failure, under either supervisor', () => {
  const [scenario] = all;
  if (scenario === undefined) throw new Error('there are no scenarios');
  for (const driver of DRIVERS) {
    expect(mismatch(scenario, driver, { sentence: scenario.expect[driver] })).toBeUndefined();
    expect(mismatch(scenario, driver, { sentence: 'something else' })).toMatch(
      new RegExp(`^${driver} did: something else`),
    );
  }
});

test('two pages may differ in date, duration and machine only', () => {
  const elsewhere = page
    .replace(/Run on .*/, 'Run on 2001-01-01, in 9 minutes.')
    .replace(/, Node \d+, \w+\./, ', Node 1, elsewhere.');
  expect(withoutDate(elsewhere)).toBe(withoutDate(page));
  expect(withoutDate(page.replace('native better', 'same'))).not.toBe(withoutDate(page));
});
