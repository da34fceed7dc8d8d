/** docs/parity.md: one row for each scenario, from what the supervisors did. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/processes.js';
import type { DriverName } from './drivers/driver.js';
import type { NamedScenario, Observation } from './run.js';
import { SECTIONS } from './scenario.js';

/** Differences that are known from the source of PM2 and from unit tests; there is no scenario for them. */
const WITHOUT_SCENARIO = [
  '## Without a scenario',
  '',
  'PM2 replaces a `kill_timeout` or `listen_timeout` of 0 by its default, gives up at the first unstable exit with',
  '`max_restarts: 0`, and restarts every worker with `max_memory_restart: 0`. The native supervisor refuses each of these',
  'values: it exits with 5 and names the accepted values. The same applies to a `port` of 0, which PM2 takes for not set.',
  '',
  'Without `watch_delay`, PM2 restarts at the first change of a file; the native supervisor reloads 1000 ms after the last',
  'one, because a build writes many files.',
  '',
  'In `env`, PM2 makes `null` the text `null`, and puts a date (`2024-01-01` in YAML) into quotation marks. Natively `null`',
  'is not set, and a date is its text.',
  '',
];

export interface Result {
  readonly scenario: NamedScenario;
  readonly observations: Readonly<Partial<Record<DriverName, Observation>>>;
}

const versionOf = (path: string): string =>
  (JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')) as { version: string }).version;

/**
 * @param committed rows by scenario, for those that this machine cannot run
 * @param took duration of the run, in milliseconds
 */
export async function createPage(
  results: readonly Result[],
  committed: ReadonlyMap<string, string>,
  took: number,
): Promise<string> {
  const verdicts = results.map(({ scenario }) => scenario.expect.verdict);
  const count = (verdict: string): number => verdicts.filter(each => each === verdict).length;
  const sections = SECTIONS.flatMap(section => {
    const rows = results.filter(({ scenario }) => scenario.section === section);
    if (rows.length === 0) return [];
    return [
      `## ${section}`,
      '',
      '| scenario | PM2 | native | verdict |',
      '| --- | --- | --- | --- |',
      ...rows.map(result => rowOf(result, committed)),
      '',
    ];
  });
  const page = [
    '# PM2 and native, side by side',
    '',
    '`yarn parity` runs every scenario of `tests/parity/scenarios/` under PM2 and under the native supervisor, and writes this',
    'page. `yarn parity NAME` runs one scenario. The run fails if either supervisor does something else than this page says:',
    'also when PM2 improves.',
    '',
    `${results.length} scenarios: ${count('same')} same, ${count('native better')} native better.`,
    '',
    `PM2 ${versionOf('node_modules/pm2')}, native ${versionOf('.')}, Node ${process.versions.node.split('.')[0]}, ${process.platform}.`,
    '',
    `Run on ${new Date().toISOString().slice(0, 10)}, in ${Math.ceil(took / 60_000)} minutes.`,
    '',
    ...sections,
    ...WITHOUT_SCENARIO,
  ].join('\n');
  // Imported here because Jest, which only reads the page, cannot load it.
  const { format } = await import('prettier');
  return format(page, { parser: 'markdown', printWidth: 110 });
}

function rowOf(
  { scenario, observations: { pm2, native } }: Result,
  committed: ReadonlyMap<string, string>,
): string {
  const { name, title, expect } = scenario;
  const isNotPossible = [pm2, native].some(each => each !== undefined && 'notPossible' in each);
  const known = committed.get(name);
  if (isNotPossible && known !== undefined) return known;
  const verdict = 'reason' in expect ? `**${expect.verdict}**: ${expect.reason}` : expect.verdict;
  return row(`\`${name}\`: ${title}`, textOf(pm2), textOf(native), verdict);
}

function textOf(observation: Observation | undefined): string {
  if (observation === undefined) return 'not run';
  return 'sentence' in observation ? observation.sentence : `cannot run here: ${observation.notPossible}`;
}

/** The row of a scenario that does what it expects. */
export const expectedRow = (scenario: NamedScenario): string => {
  const { pm2, native } = scenario.expect;
  return rowOf(
    { scenario, observations: { pm2: { sentence: pm2 }, native: { sentence: native } } },
    new Map(),
  );
};

const row = (...cells: readonly string[]): string =>
  `| ${cells.map(cell => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;

/** The rows of a page by scenario name. */
export function rowsOf(page: string): Map<string, string> {
  return new Map([...page.matchAll(/^\| `([a-z0-9-]+)`: .*$/gm)].map(([line, name = '']) => [name, line]));
}

/** The page without what differs from run to run: date, duration, Node and system. */
export const withoutDate = (page: string): string =>
  page.replace(/^Run on .*$/m, '').replace(/^(PM2 \S+, native \S+), .*$/m, '$1');
