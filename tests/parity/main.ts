/** `yarn parity [NAME…]`: runs the scenarios under both supervisors and checks docs/parity.md against the results. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/processes.js';
import { DRIVERS, type DriverName } from './drivers/driver.js';
import {
  interruptAll,
  loadScenarios,
  mismatch,
  runScenario,
  type NamedScenario,
  type Observation,
} from './run.js';
import { createPage, rowsOf, withoutDate, type Result } from './table.js';

const PAGE = join(ROOT, 'docs', 'parity.md');

/** More would slow each other down on a small machine. */
const CONCURRENCY = 2;

/** Aborted by a signal to this process. */
const interrupted = new AbortController();

/** The whole run must be short enough to be run before every commit. */
const RUN_MS = 15 * 60_000;

interface Job {
  readonly scenario: NamedScenario;
  readonly driver: DriverName;
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const all = loadScenarios();
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
  const { observations, failures } = await runAll(chosen);
  const took = Date.now() - begun;
  console.log(
    `${chosen.length} ${chosen.length === 1 ? 'scenario' : 'scenarios'}, ${failures.length} failed, ${seconds(took)} of at most ${seconds(RUN_MS)}`,
  );
  if (took > RUN_MS) failures.push(`the run took ${seconds(took)}, longer than ${seconds(RUN_MS)}`);
  for (const failure of failures) console.log(`\n✗ ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
  else if (wanted.length === 0)
    await comparePage(
      chosen.map(scenario => ({ scenario, observations: observations.get(scenario) ?? {} })),
      took,
    );
}

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;

interface Outcome {
  readonly observations: Map<NamedScenario, Partial<Record<DriverName, Observation>>>;
  readonly failures: string[];
}

async function runAll(scenarios: readonly NamedScenario[]): Promise<Outcome> {
  const jobs = scenarios.flatMap(scenario => DRIVERS.map((driver): Job => ({ scenario, driver })));
  const observations: Outcome['observations'] = new Map(scenarios.map(scenario => [scenario, {}]));
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined && !interrupted.signal.aborted; job = jobs.shift()) {
      const { scenario, driver } = job;
      const begun = Date.now();
      const [sign, problem] = await check(scenario, driver, observation =>
        Object.assign(observations.get(scenario) ?? {}, { [driver]: observation }),
      );
      const took = ((Date.now() - begun) / 1_000).toFixed(1);
      const reason = sign === '–' ? `: ${problem}` : '';
      console.log(`${sign} ${scenario.name} (${driver}, ${took} s)${reason}`);
      if (sign === '✗') failures.push(`${scenario.name}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return { observations, failures };
}

/** Runs one scenario; a dash means that this machine cannot run it. */
async function check(
  scenario: NamedScenario,
  driver: DriverName,
  record: (observation: Observation) => void,
): Promise<['✓'] | ['✗' | '–', string]> {
  try {
    const observation = await runScenario(scenario, driver);
    record(observation);
    if ('notPossible' in observation) return ['–', observation.notPossible];
    const problem = mismatch(scenario, driver, observation);
    return problem === undefined ? ['✓'] : ['✗', problem];
  } catch (error) {
    return ['✗', `${driver}: ${(error as Error).message}`];
  }
}

/** Writes the page, and fails if it differs from the committed one. */
async function comparePage(results: readonly Result[], took: number): Promise<void> {
  const committed = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const page = await createPage(results, rowsOf(committed), took);
  if (withoutDate(page) === withoutDate(committed)) {
    console.log('docs/parity.md is up to date');
    return;
  }
  writeFileSync(PAGE, page);
  console.log('✗ docs/parity.md was out of date; it has been written again');
  process.exitCode = 1;
}

// A terminal and the script that started this one may both send the signal; the first one counts.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) return;
    interrupted.abort();
    void interruptAll().finally(() => process.exit(1));
  });
}

void main();
