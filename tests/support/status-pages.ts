/** What `status` prints of a service in trouble, as `docs/operations.md` shows it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  crashLooping,
  down,
  failedReload,
  hung,
  outOfMemory,
  replacedForMemory,
  type Troubled,
} from './incidents.js';
import { makeControlGroup } from './control-group.js';
import { ROOT } from './processes.js';
import { statusOf } from './service.js';

export const OPERATIONS = join(ROOT, 'docs', 'operations.md');

export interface StatusPage {
  readonly title: string;
  /** Brings a service into that state, and shows it; `undefined` where this machine cannot. */
  show(): Promise<string | undefined>;
}

const page = (title: string, bring: () => Promise<Troubled>): StatusPage => ({
  title,
  show: async () => shown(await bring()),
});

export const STATUS_PAGES: readonly StatusPage[] = [
  page('A worker hangs', hung),
  page('A worker crashes again and again', crashLooping),
  page('A worker was replaced for its memory', replacedForMemory),
  { title: 'The kernel killed a worker because memory ran out', show: showOutOfMemory },
  page('A reload has failed', failedReload),
  page('No worker serves', down),
];

async function showOutOfMemory(): Promise<string | undefined> {
  const group = makeControlGroup({ memory: 400 * 2 ** 20 });
  if (group === undefined) return undefined;
  const running = await outOfMemory(group.launcher);
  const text = await shown(running);
  running.kill('SIGTERM');
  await running.ended;
  await group.remove();
  return text;
}

/** The command, its output and its exit code. */
export async function shown(running: Troubled): Promise<string> {
  const { workers } = await statusOf(running);
  const { text, code } = await running.command('status');
  // Slot by slot, the oldest worker first.
  const pids = workers.flatMap(({ pid, exits }) => [...exits.toReversed().map(exit => exit.pid), pid]);
  return [
    '$ node dist/cluster.js status; echo "exit code $?"',
    ...aligned(normalized(text.trimEnd(), [running.pid, ...pids])).split('\n'),
    `exit code ${code}`,
  ].join('\n');
}

/** The same in `docs/operations.md`, under its title. */
export function documented(title: string): string | undefined {
  const [, behind = ''] = readFileSync(OPERATIONS, 'utf8').split(`\n#### ${title}\n`);
  return /```console\n([\s\S]*?)\n```/.exec(behind)?.[1];
}

/** The text with the same pids, times, sizes and loads in every run. */
export function normalized(text: string, pids: readonly (number | null)[]): string {
  const numbers = new Map([...new Set(pids)].map((pid, index) => [String(pid), String(4_700 + index)]));
  const time = String.raw`(?:\d+ (?:ms|s)|\d+ m \d+ s)`;
  return text
    .replace(/\b\d+\b/g, number => numbers.get(number) ?? number)
    .replace(new RegExp(`up ${time}`), 'up 25 s')
    .replace(new RegExp(`^(\\d .*?  )${time}(  )`, 'gm'), '$125 s$2')
    .replace(new RegExp(`(hung for|reload) ${time}`, 'g'), '$1 12 s')
    .replace(new RegExp(`next try in ${time}`, 'g'), 'next try in 3 s')
    .replace(new RegExp(`\\(${time} ago, after ${time}\\)`, 'g'), '(2 s ago, after 950 ms)')
    .replace(/\d+\.\d %/g, '0.2 %')
    .replace(/(hung for .*?)0\.2 %/, '$199.8 %')
    .replace(/\b\d\d\.\d MB/g, '52.7 MB')
    .replace(/\b3\d\d\.\d MB/g, '352.9 MB')
    .replace(/node v[\d.]+/, `node v24.0.0`);
}

/** Figures that depend on the moment, in the order of their columns. */
const FIGURES = { hung: ['100.0 %', '0.0', '-', '0'], serving: ['0.2 %', '0.0', '-', '0'] };

/** A row with the same figures in every run; one without a process has none. */
function withFigures(row: string[], head: readonly string[]): string[] {
  const at = head.indexOf('loop');
  if (row[0] === head[0] || row[1] === '-') return row;
  return row.toSpliced(at, 4, ...FIGURES[row[2]?.startsWith('hung') === true ? 'hung' : 'serving']);
}

/** The columns of the table in line again: cells are separated by two spaces. */
function aligned(text: string): string {
  const [head = '', table = ''] = text.split('\n\n');
  const cells = table.split('\n').map(line => line.split(/ {2,}/));
  const rows = cells.map(row => withFigures(row, cells[0] ?? []));
  const widths = (rows[0] ?? []).map((_cell, column) =>
    Math.max(...rows.map(row => row[column]?.length ?? 0)),
  );
  const lines = rows.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return [head, '', ...lines.map(line => line.trimEnd())].join('\n');
}
