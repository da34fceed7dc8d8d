/** `yarn parity [NAME…]`: plays the scenarios, and holds docs/parity.md and what was seen together. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/processes.js';
import { DRIVERS, type DriverName } from './drivers/driver.js';
import { allScenarios, clearAll, mismatch, play, type Named, type Seen } from './play.js';
import { rowsOf, tableOf, withoutDate, type Result } from './table.js';

const TABLE = join(ROOT, 'docs', 'parity.md');

/** Two plays at a time: more would starve each other on a small machine. */
const AT_ONCE = 2;

/** Aborted when somebody tells us to end. */
const leaving = new AbortController();

/** What the whole run may take: more, and nobody would wait for it before a commit. */
const RUN_MS = 15 * 60_000;

interface Job {
  readonly scenario: Named;
  readonly driver: DriverName;
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const all = allScenarios();
  const unknown = wanted.filter(name => !all.some(scenario => scenario.name === name));
  if (unknown.length > 0) {
    console.error(
      `There is no scenario ${unknown.join(', ')}; there are\n  ${all.map(({ name }) => name).join('\n  ')}`,
    );
    process.exitCode = 2;
    return;
  }
  const chosen = wanted.length === 0 ? all : all.filter(({ name }) => wanted.includes(name));
  const begun = Date.now();
  const { seen, failures } = await playAll(chosen);
  const took = Date.now() - begun;
  console.log(
    `${chosen.length} scenarios, ${failures.length} failed, ${seconds(took)} of at most ${seconds(RUN_MS)}`,
  );
  if (took > RUN_MS) failures.push(`the run took ${seconds(took)}, longer than ${seconds(RUN_MS)}`);
  for (const failure of failures) console.log(`\n✗ ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
  else if (wanted.length === 0)
    await hold(
      chosen.map(scenario => ({ scenario, seen: seen.get(scenario) ?? {} })),
      took,
    );
}

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;

interface Played {
  readonly seen: Map<Named, Partial<Record<DriverName, Seen>>>;
  readonly failures: string[];
}

async function playAll(scenarios: readonly Named[]): Promise<Played> {
  const jobs = scenarios.flatMap(scenario => DRIVERS.map((driver): Job => ({ scenario, driver })));
  const seen = new Map<Named, Partial<Record<DriverName, Seen>>>(scenarios.map(scenario => [scenario, {}]));
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined && !leaving.signal.aborted; job = jobs.shift()) {
      const { scenario, driver } = job;
      const begun = Date.now();
      const [sign, problem] = await judged(scenario, driver, found =>
        Object.assign(seen.get(scenario) ?? {}, { [driver]: found }),
      );
      const took = ((Date.now() - begun) / 1_000).toFixed(1);
      const reason = sign === '–' ? `: ${problem}` : '';
      console.log(`${sign} ${scenario.name} (${driver}, ${took} s)${reason}`);
      if (sign === '✗') failures.push(`${scenario.name}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { seen, failures };
}

/** Plays one; a dash is for what this machine does not allow to see. */
async function judged(
  scenario: Named,
  driver: DriverName,
  keep: (seen: Seen) => void,
): Promise<['✓'] | ['✗' | '–', string]> {
  try {
    const found = await play(scenario, driver);
    keep(found);
    if ('impossible' in found) return ['–', found.impossible];
    const problem = mismatch(scenario, driver, found);
    return problem === undefined ? ['✓'] : ['✗', problem];
  } catch (error) {
    return ['✗', `${driver}: ${(error as Error).message}`];
  }
}

/** Writes the table, and fails where the committed one said something else. */
async function hold(results: readonly Result[], took: number): Promise<void> {
  const committed = existsSync(TABLE) ? readFileSync(TABLE, 'utf8') : '';
  const table = await tableOf(results, rowsOf(committed), took);
  if (withoutDate(table) === withoutDate(committed)) {
    console.log('docs/parity.md is what was seen');
    return;
  }
  writeFileSync(TABLE, table);
  console.log('✗ docs/parity.md said something else; it has been written anew');
  process.exitCode = 1;
}

// A terminal and the script that started this one may both send the signal; the first one counts.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (leaving.signal.aborted) return;
    leaving.abort();
    void clearAll().finally(() => process.exit(1));
  });
}

void main();
