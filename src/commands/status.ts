/** `status`: whether all is well, and a row for every worker. */
import { STATUS_EXIT } from '../protocol/exit-codes.js';
import type { Status } from '../supervisor/report/status.js';
import { countText, durationText, lastExitText, sizeText } from '../supervisor/report/wording.js';
import { reach } from './client.js';
import type { CommandLine } from './command-line.js';
import { pm2Status } from './pm2-status.js';
import { pm2WorkersInstead } from './pm2-workers.js';
import { completed, type ShownStatus, type ShownWorker } from '../live/shown-status.js';

export async function status(line: CommandLine): Promise<void> {
  const body = await nativeOrPm2(line);
  const found = completed(body);
  const colour = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  const text = line.json ? JSON.stringify(body) : asText(found, colour ? coloured : plain);
  process.stdout.write(`${text}\n`);
  process.exitCode = exitCodeOf(found);
}

/** @throws ServiceError NO_SUPERVISOR if neither runs this service */
async function nativeOrPm2(line: CommandLine): Promise<Partial<ShownStatus>> {
  try {
    return (await reach(line)).status;
  } catch (error) {
    return pm2Status(await pm2WorkersInstead(error, line));
  }
}

/** For cron, monitors and health checks. A reload leaves every slot served. */
export function exitCodeOf({ state, served, wanted }: Pick<Status, 'state' | 'served' | 'wanted'>): number {
  if (state === 'ready' || (state === 'reloading' && served === wanted)) return STATUS_EXIT.ready;
  return served === 0 ? STATUS_EXIT.down : STATUS_EXIT.degraded;
}

type Paint = (text: string, state: string) => string;

const plain: Paint = text => text;

const GOOD = 32;
const PASSING = 33;
const BAD = 31;
const COLOURS: Readonly<Record<string, number>> = {
  ready: GOOD,
  degraded: BAD,
  hung: BAD,
  'crash-looping': BAD,
  down: BAD,
  errored: BAD,
  stopped: BAD,
  backoff: BAD,
};

const coloured: Paint = (text, state) => `\u001b[${COLOURS[state] ?? PASSING}m${text}\u001b[39m`;

const COLUMNS: readonly (readonly [title: string, cell: (worker: ShownWorker) => string])[] = [
  ['slot', ({ slot }) => String(slot)],
  ['pid', ({ pid }) => String(pid ?? '-')],
  ['state', stateText],
  ['up', ({ uptime }) => (uptime === null ? '-' : durationText(uptime))],
  ['restarts', ({ restarts }) => numberText(restarts, String)],
  ['cpu', ({ cpu }) => (cpu === null ? '-' : `${cpu.toFixed(1)} %`)],
  ['memory', ({ memory }) => (memory === null ? '-' : sizeText(memory))],
  ['gen', ({ generation }) => numberText(generation, String)],
  ['loop', ({ eventLoopUtilization: share }) => numberText(share, found => `${(found * 100).toFixed(1)} %`)],
  ['req/s', ({ requestsPerSecond }) => numberText(requestsPerSecond, found => found.toFixed(1))],
  ['p99', ({ p99 }) => numberText(p99, found => `${found} ms`)],
  ['in flight', ({ inFlight }) => numberText(inFlight, String)],
  ['last exit', ({ lastExit }) => (lastExit === null ? '-' : lastExitText(lastExit, Date.now()))],
];

const numberText = (value: number | null, text: (value: number) => string): string =>
  value === null ? '-' : text(value);

function stateText({ state, hungFor, nextTryIn }: ShownWorker): string {
  if (hungFor !== null) return `${state} for ${durationText(hungFor)}`;
  return nextTryIn === null ? state : `${state}, next try in ${durationText(nextTryIn)}`;
}

/** The status as a person reads it. */
export function asText(found: ShownStatus, paint: Paint): string {
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
    ...reloadLines(found),
    ...whyLines(found),
    '',
    ...rows.map((row, index) => paintRow(row, found.workers[index - 1], paint)),
  ].join('\n');
}

function headline(found: ShownStatus, paint: Paint): string {
  const { app, state, wanted, served, workers, restartsLastMinute, supervisor, generation } = found;
  const hung = workers.flatMap(({ hungFor }) => hungFor ?? []);
  const parts = [
    `${served} of ${wanted} workers serve`,
    ...(hung.length === 0 ? [] : [`${hung.length} hung for ${durationText(Math.max(...hung))}`]),
    ...(restartsLastMinute === null || restartsLastMinute === 0
      ? []
      : [`${countText(restartsLastMinute, 'restart')} in the last minute`]),
  ];
  const head = paint(`${MARKS[state] ?? '✗'} ${app} ${state}: ${parts.join(', ')}`, state);
  const { type, pid, uptime, node } = supervisor;
  const by = type === 'pm2' ? `PM2, daemon pid ${pid}` : `generation ${generation}, supervisor pid ${pid}`;
  const up = uptime === null ? '' : `, up ${durationText(uptime)}`;
  return `${head}   (${by}${up}, node ${node})`;
}

/** In front of a state that is no failure. */
const MARKS: Readonly<Record<string, string>> = { ready: '✓', starting: '…', reloading: '…', stopping: '…' };

/** So many slots are explained; `--json` has all. */
const MAX_WHY = 3;

function whyLines({ why }: ShownStatus): string[] {
  const others = why.length - MAX_WHY;
  const more = others > 0 ? [`and ${countText(others, 'more slot')} (status --json)`] : [];
  return [...why.slice(0, MAX_WHY), ...more].map(line => `  why: ${line}`);
}

function reloadLines({ lastReload }: ShownStatus): string[] {
  if (lastReload === null) return [];
  const { at, ok, reason, advice } = lastReload;
  const ended = `  last reload ${durationText(Date.now() - at)} ago: `;
  return [ended + (ok ? 'done' : `aborted, ${reason}`), ...(advice === null ? [] : [`  ${advice}`])];
}

const paintRow = (row: string, worker: ShownWorker | undefined, paint: Paint): string =>
  worker === undefined ? row : row.replace(stateText(worker), text => paint(text, worker.state));
