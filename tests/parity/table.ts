/** docs/parity.md: one row for each scenario, made from what was seen. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/processes.js';
import type { DriverName } from './drivers/driver.js';
import type { Named, Seen } from './play.js';
import { CHAPTERS } from './scenario.js';

/** What is known from the source of PM2 and from tests of our own, and is no scenario. */
const NOT_PLAYED = [
  '## Not played',
  '',
  'PM2 replaces a `kill_timeout` or `listen_timeout` of 0 by its default, gives up at the first unstable exit with',
  '`max_restarts: 0`, and restarts every worker with `max_memory_restart: 0`. The native supervisor refuses each of these',
  'values: exit code 5, and a sentence with the accepted values.',
  '',
];

export interface Result {
  readonly scenario: Named;
  readonly seen: Readonly<Partial<Record<DriverName, Seen>>>;
}

const versionOf = (path: string): string =>
  (JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')) as { version: string }).version;

/**
 * @param committed rows by scenario, for those that this machine cannot play
 * @param took how long it was played, in milliseconds
 */
export async function tableOf(
  results: readonly Result[],
  committed: ReadonlyMap<string, string>,
  took: number,
): Promise<string> {
  const verdicts = results.map(({ scenario }) => scenario.expect.verdict);
  const count = (verdict: string): number => verdicts.filter(each => each === verdict).length;
  const chapters = CHAPTERS.flatMap(chapter => {
    const rows = results.filter(({ scenario }) => scenario.chapter === chapter);
    if (rows.length === 0) return [];
    return [
      `## ${chapter}`,
      '',
      '| scenario | PM2 did | native did | verdict |',
      '| --- | --- | --- | --- |',
      ...rows.map(result => rowOf(result, committed)),
      '',
    ];
  });
  const page = [
    '# PM2 and native, side by side',
    '',
    '`yarn parity` plays every scenario of `tests/parity/scenarios/` under PM2 and under the native supervisor. It writes this',
    'page, and fails if the page was different. `yarn parity NAME` plays one scenario. The behaviour of PM2 is asserted too:',
    'the run fails when PM2 improves.',
    '',
    `${results.length} scenarios: ${count('same')} same, ${count('native better')} native better, ${count('not applicable')} not applicable.`,
    '',
    `PM2 ${versionOf('node_modules/pm2')}, native ${versionOf('.')}, Node ${process.versions.node.split('.')[0]}, ${process.platform}.`,
    '',
    `Seen on ${new Date().toISOString().slice(0, 10)}, in ${Math.ceil(took / 60_000)} minutes.`,
    '',
    ...chapters,
    ...NOT_PLAYED,
  ].join('\n');
  // Jest, which reads tables and writes none, cannot load it.
  const { format } = await import('prettier');
  return format(page, { parser: 'markdown', printWidth: 110 });
}

function rowOf({ scenario, seen: { pm2, native } }: Result, committed: ReadonlyMap<string, string>): string {
  const { name, promise, expect } = scenario;
  const saw = (seen: Seen | undefined): string =>
    seen === undefined
      ? 'not played'
      : 'saw' in seen
        ? seen.saw
        : `cannot be played here: ${seen.impossible}`;
  const isImpossible = [pm2, native].some(seen => seen !== undefined && 'impossible' in seen);
  const known = committed.get(name);
  if (isImpossible && known !== undefined) return known;
  const verdict = 'how' in expect ? `**${expect.verdict}**: ${expect.how}` : expect.verdict;
  return row(`\`${name}\`: ${promise}`, saw(pm2), saw(native), verdict);
}

/** The row of a scenario in which everything is as it states. */
export const rowAsExpected = (scenario: Named): string =>
  rowOf(
    { scenario, seen: { pm2: { saw: scenario.expect.pm2 }, native: { saw: scenario.expect.native } } },
    new Map(),
  );

const row = (...cells: readonly string[]): string =>
  `| ${cells.map(cell => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;

/** The rows of a page, by the scenario's name. */
export function rowsOf(page: string): Map<string, string> {
  return new Map([...page.matchAll(/^\| `([a-z0-9-]+)`: .*$/gm)].map(([line, name = '']) => [name, line]));
}

/** Date and duration are no findings, and neither are the Node and the system of whoever runs it. */
export const withoutDate = (page: string): string =>
  page.replace(/^Seen on .*$/m, '').replace(/^(PM2 \S+, native \S+), .*$/m, '$1');
