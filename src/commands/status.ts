/** `status`: whether all is well, and a row for every worker. */
import { EXIT } from '../protocol/exit-codes.js';
import type { Status, WorkerStatus } from '../supervisor/report/status.js';
import { clientOf } from './client.js';
import type { CommandLine } from './command-line.js';

export async function status(line: CommandLine): Promise<void> {
  const { body } = await clientOf(line).get('/status');
  const found = body as Status;
  const colour = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  process.stdout.write(
    line.json ? `${JSON.stringify(found)}\n` : `${asText(found, colour ? coloured : plain)}\n`,
  );
  process.exitCode = EXIT.ok;
}

type Paint = (text: string, state: string) => string;

const plain: Paint = text => text;

const GOOD = 32;
const PASSING = 33;
const BAD = 31;
const COLOURS: Readonly<Record<string, number>> = {
  ready: GOOD,
  degraded: BAD,
  errored: BAD,
  stopped: BAD,
  backoff: BAD,
};

const coloured: Paint = (text, state) => `\u001b[${COLOURS[state] ?? PASSING}m${text}\u001b[39m`;

const COLUMNS: readonly (readonly [title: string, cell: (worker: WorkerStatus) => string])[] = [
  ['slot', ({ slot }) => String(slot)],
  ['pid', ({ pid }) => String(pid ?? '-')],
  ['state', ({ state }) => state],
  ['up', ({ uptime }) => (uptime === null ? '-' : duration(uptime))],
  ['restarts', ({ restarts }) => String(restarts)],
  ['cpu', ({ cpu }) => (cpu === null ? '-' : `${cpu.toFixed(1)} %`)],
  ['memory', ({ memory }) => (memory === null ? '-' : `${(memory / 2 ** 20).toFixed(1)} MB`)],
  ['gen', ({ generation }) => String(generation)],
  ['last exit', ({ lastExit }) => (lastExit === null ? '-' : `${lastExit.pid ?? '-'} ${lastExit.reason}`)],
];

/** The status as a person reads it. */
export function asText(found: Status, paint: Paint): string {
  const table = [
    COLUMNS.map(([title]) => title),
    ...found.workers.map(worker => COLUMNS.map(([, cell]) => cell(worker))),
  ];
  const widths = COLUMNS.map((_column, index) => Math.max(...table.map(row => row[index]?.length ?? 0)));
  const rows = table.map(row =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [
    headline(found, paint),
    ...reloadLine(found),
    '',
    ...rows.map((row, index) => paintRow(row, found.workers[index - 1], paint)),
  ].join('\n');
}

function headline({ app, state, wanted, workers, supervisor, generation }: Status, paint: Paint): string {
  const ready = new Set(workers.filter(worker => worker.state === 'ready').map(({ slot }) => slot)).size;
  const mark = state === 'ready' ? '✓' : state === 'degraded' ? '✗' : '…';
  const head = paint(`${mark} ${app} ${state}: ${ready} of ${wanted} workers serve`, state);
  return `${head}   (generation ${generation}, supervisor pid ${supervisor.pid}, up ${duration(supervisor.uptime)}, node ${supervisor.node})`;
}

function reloadLine({ lastReload }: Status): string[] {
  if (lastReload === null) return [];
  const ago = duration(Date.now() - lastReload.at);
  return [
    lastReload.ok
      ? `  last reload ${ago} ago: done`
      : `  last reload ${ago} ago: aborted, ${lastReload.reason}`,
  ];
}

const paintRow = (row: string, worker: WorkerStatus | undefined, paint: Paint): string =>
  worker === undefined ? row : row.replace(` ${worker.state} `, ` ${paint(worker.state, worker.state)} `);

/** `950 ms`, `12 s`, `3 m 20 s`, `5 h 2 m`, `4 d 7 h`. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const [minutes, hours, days] = [
    Math.floor(seconds / 60),
    Math.floor(seconds / 3_600),
    Math.floor(seconds / 86_400),
  ];
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} m`;
  if (minutes > 0) return `${minutes} m ${seconds % 60} s`;
  return seconds > 0 ? `${seconds} s` : `${Math.max(0, Math.floor(ms))} ms`;
}
