/** The screen of `monit` as lines of text. Pure. */
import type { LiveWorker, LogLine, Moment } from '../../live/messages.js';
import { fit, sorted, type Fitted, type Table } from './columns.js';
import { helpLines } from './help.js';
import { layoutOf, noticeLines, TREND_COLUMNS } from './layout.js';
import { lineWidth, painted, type Line, type Paint, type Style } from './paint.js';
import { pieces, sparkline, type Sample } from './sparkline.js';
import { isProblem, newest, shown, type Data, type Order, type State } from './state.js';
import { padEnd, padStart, safe } from './text.js';

/** @returns a line for each row of the screen, none wider than it */
export function frame(state: State, paint: Paint): string[] {
  const { columns, rows } = state.size;
  const layout = layoutOf(state);
  const data = shown(state);
  const lines: Line[] = [
    headline(state, data),
    ...whyLines(newest(data), layout.why),
    ...trendLines(data, layout.trends, columns),
    ...Array.from({ length: layout.gap }, (): Line => []),
  ];
  const end = [...noticeParts(state), footer(state)];
  const body = state.isHelp
    ? helpLines(columns)
    : [...tableLines(state, data, layout.table), ...logLines(state, data, layout.log)];
  const room = Math.max(0, rows - lines.length - end.length);
  const all = [...lines, ...filled(body, room), ...end].slice(-rows);
  return all.map(line => painted(line, columns, paint));
}

const filled = (lines: readonly Line[], count: number): Line[] =>
  Array.from({ length: count }, (_, index) => lines[index] ?? []);

const PASSING = new Set(['starting', 'reloading', 'stopping', 'draining']);

const styleOf = (state: string): Style =>
  state === 'ready' ? 'good' : PASSING.has(state) ? 'passing' : 'bad';

const timeText = (at: number): string => {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map(part => String(part).padStart(2, '0'))
    .join(':');
};

function headline(state: State, data: Data): Line {
  const moment = newest(data);
  const { app, supervisedBy, state: word, served, wanted } = moment;
  const { lost } = data;
  const style = lost === undefined ? styleOf(word) : 'bad';
  const mark = style === 'good' ? '✓' : style === 'passing' ? '…' : '✗';
  const what =
    lost === undefined
      ? `${word}${reloadText(moment)}: ${served} of ${wanted} workers serve`
      : `gone since ${timeText(lost.since)}, trying again: ${lost.reason}`;
  const left: Line = [[safe(`${mark} ${app} ${what}`), style]];
  const by = supervisedBy === 'pm2' ? 'PM2' : `generation ${generationOf(moment) ?? '-'}`;
  const paused = state.frozen === undefined ? '' : 'paused  ';
  const clock = timeText(lost?.now ?? moment.at);
  const right: Line = [
    [paused, 'passing'],
    [`${by}  ${clock}`, 'dim'],
  ];
  const space = state.size.columns - lineWidth(left) - lineWidth(right);
  return space < 2 ? left : [...left, [' '.repeat(space), 'plain'], ...right];
}

const generationOf = ({ workers }: Moment): number | undefined => {
  const known = workers.flatMap(({ generation }) => generation ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
};

/** How far a reload is: slots whose worker of the newest generation serves. */
function reloadText(moment: Moment): string {
  if (moment.state !== 'reloading') return '';
  const generation = generationOf(moment);
  const isNew = (worker: LiveWorker): boolean => worker.state === 'ready' && worker.generation === generation;
  const slots = new Set(moment.workers.filter(isNew).map(({ slot }) => slot));
  // Before the first successor is there, all are of the same generation.
  const hasBegun = new Set(moment.workers.map(worker => worker.generation)).size > 1;
  return `, ${hasBegun ? slots.size : 0} of ${moment.wanted} replaced`;
}

function whyLines({ why }: Moment, rows: number): Line[] {
  const others = why.length - rows;
  return why.slice(0, rows).map((text, index) => {
    const more = index === rows - 1 && others > 0 ? ` (and ${others} more)` : '';
    return [
      ['  why: ', 'dim'],
      [safe(text) + more, 'plain'],
    ];
  });
}

interface Trend {
  readonly title: string;
  value(moment: Moment): number | null;
  text(value: number): string;
  /** What the highest bar stands for at least. */
  readonly top: number;
}

const known = (moment: Moment, value: (worker: LiveWorker) => number | null): number[] =>
  moment.workers.flatMap(worker => value(worker) ?? []);

/** Nothing of nothing is not known, rather than 0. */
const sum = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((total, value) => total + value, 0);

const SERVICE_TRENDS: readonly Trend[] = [
  {
    title: 'requests/s',
    value: moment => sum(known(moment, worker => worker.requestsPerSecond)),
    text: value => value.toFixed(1),
    top: 1,
  },
  {
    title: 'worst p99',
    value(moment) {
      const values = known(moment, worker => worker.p99Ms);
      return values.length === 0 ? null : Math.max(...values);
    },
    text: value => `${value.toFixed(value < 1_000 ? 1 : 0)} ms`,
    top: 1,
  },
  {
    title: 'CPU',
    value: moment => sum(known(moment, worker => worker.cpu)),
    text: value => `${value.toFixed(0)} %`,
    top: 100,
  },
  {
    title: 'memory',
    value: moment => sum(known(moment, worker => worker.memory)),
    text: value => `${(value / 2 ** 20).toFixed(0)} MB`,
    top: 0,
  },
];

function trendLines(data: Data, { perRow, rows }: { perRow: number; rows: number }, columns: number): Line[] {
  const width = Math.min(TREND_COLUMNS + 12, Math.floor((columns - 2) / perRow));
  return Array.from({ length: rows }, (_, row) =>
    SERVICE_TRENDS.slice(row * perRow, (row + 1) * perRow).flatMap(trend => trendParts(trend, data, width)),
  );
}

const TITLE = 10;
const VALUE = 9;

function trendParts({ title, value, text, top }: Trend, { moments }: Data, width: number): Line {
  const samples = moments.map((moment): Sample => [moment.at, value(moment)]);
  const [, last] = samples[samples.length - 1] ?? [0, null];
  const room = Math.max(4, width - TITLE - VALUE - 6);
  return [
    [`  ${padEnd(title, TITLE)} `, 'dim'],
    [padStart(last === null ? '-' : text(last), VALUE), 'plain'],
    [` ${bars(samples, room, top)}  `, 'bars'],
  ];
}

function bars(samples: readonly Sample[], width: number, top: number): string {
  const now = samples[samples.length - 1]?.[0] ?? 0;
  const highest = Math.max(top, ...samples.map(([, value]) => value ?? 0));
  return sparkline(pieces(samples, now, width), highest);
}

function tableLines(state: State, data: Data, rows: number): Line[] {
  if (rows === 0) return [];
  const moment = newest(data);
  const workers = sorted(moment.workers, state.sort).map(worker => ({
    ...worker,
    state: safe(worker.state),
  }));
  const first = Math.min(state.scroll, Math.max(0, workers.length - (rows - 1)));
  const visible = workers.slice(first, first + rows - 1);
  const table = fit(moment.workers, state.size.columns);
  const heading = table.columns.flatMap((column, index) => headingParts(column, index, table, state));
  const histories = visible.map(worker => historyOf(worker, data));
  const tops = table.columns.map(({ column: { trend } }) =>
    trend === undefined
      ? 0
      : Math.max(trend.top, ...histories.flat().map(([, worker]) => (worker && trend.value(worker)) ?? 0)),
  );
  const isOld = data.lost !== undefined;
  const lines = visible.map((worker, row) =>
    table.columns.flatMap((column, index): Line => {
      const history = histories[row] ?? [];
      const cell = cellParts(worker, column, index, table, isOld);
      return [...cell, ...trendCell(column, history, moment.at, tops[index] ?? 0)];
    }),
  );
  return [heading, ...lines];
}

function headingParts(
  { column, width, trendWidth }: Fitted,
  index: number,
  { gap }: Table,
  state: State,
): Line {
  const pad = column.align === 'left' ? padEnd : padStart;
  const trend = trendWidth === 0 ? '' : ' '.repeat(trendWidth + 1);
  return [
    [' '.repeat(index === 0 ? 0 : gap), 'plain'],
    [pad(column.title, width), column.sort === state.sort ? 'strong' : 'dim'],
    [trend, 'plain'],
  ];
}

/** What asks for attention is coloured, the rest is not. */
function cellParts(
  worker: LiveWorker,
  { column, width }: Fitted,
  index: number,
  { gap }: Table,
  isOld: boolean,
): Line {
  const pad = column.align === 'left' ? padEnd : padStart;
  const text = pad(column.cell(worker), width);
  const style = isOld ? 'dim' : column.title === 'state' ? styleOf(worker.state) : 'plain';
  return [
    [' '.repeat(index === 0 ? 0 : gap), 'plain'],
    [text, style],
  ];
}

/** A worker over time. */
type History = readonly (readonly [at: number, worker: LiveWorker | undefined])[];

/** A successor goes on where the worker before it in its slot has ended; one that drains has its own figures only. */
function historyOf({ slot, pid, state }: LiveWorker, { moments }: Data): History {
  return moments.map(({ at, workers }) => {
    const own = pid === null ? undefined : workers.find(worker => worker.pid === pid);
    if (own !== undefined || state === 'draining') return [at, own] as const;
    return [at, workers.find(worker => worker.slot === slot && worker.state !== 'draining')] as const;
  });
}

function trendCell(
  { column: { trend }, trendWidth }: Fitted,
  history: History,
  now: number,
  top: number,
): Line {
  if (trend === undefined || trendWidth === 0) return [];
  const samples = history.map(([at, worker]): Sample => [
    at,
    worker === undefined ? null : trend.value(worker),
  ]);
  return [[` ${sparkline(pieces(samples, now, trendWidth), top)}`, 'bars']];
}

const LEVEL_STYLES: Readonly<Record<LogLine['level'], Style>> = {
  trace: 'dim',
  debug: 'dim',
  info: 'dim',
  warn: 'passing',
  error: 'bad',
  fatal: 'bad',
};

function logLines(state: State, data: Data, rows: number): Line[] {
  if (rows === 0) return [];
  const lines = state.isErrorsFirst ? errorsFirst(data, rows - 1) : data.lines.slice(-Math.max(1, rows - 1));
  const body: Line[] =
    lines.length === 0
      ? [[['  nothing has been logged since this view was opened', 'dim']]]
      : lines.map(logLine);
  return [separator(state, data), ...body.slice(0, rows - 1)];
}

const SEVERITY: Readonly<Record<string, number>> = { fatal: 2, error: 2, warn: 1 };

/** Errors, then warnings, then the rest: the newest of each first. */
function errorsFirst({ lines, problems }: Data, count: number): LogLine[] {
  const severity = ({ level }: LogLine): number => SEVERITY[level] ?? 0;
  return [...problems, ...lines.filter(line => !isProblem(line))]
    .toReversed()
    .toSorted((one, other) => severity(other) - severity(one))
    .slice(0, count);
}

function separator(state: State, data: Data): Line {
  const all = newest(data).workers.length;
  const rows = layoutOf(state).table - 1;
  const first = Math.min(state.scroll, Math.max(0, all - rows));
  const parts = [
    ...(rows < all && rows > 0 ? [`workers ${first + 1} to ${first + rows} of ${all}`] : []),
    ...(state.sort === 'slot' ? [] : [`sorted by ${state.sort}`]),
    state.isErrorsFirst ? 'log, errors first' : 'log',
  ];
  const text = `── ${parts.join(' ── ')} `;
  return [[text + '─'.repeat(Math.max(0, state.size.columns - text.length)), 'dim']];
}

function logLine({ at, slot, level, text }: LogLine): Line {
  const style = LEVEL_STYLES[level];
  return [
    [`${timeText(at)} ${padStart(String(slot), 3)} `, 'dim'],
    [`${padEnd(level, 5)} `, style],
    [safe(text), level === 'error' || level === 'fatal' ? 'strong' : 'plain'],
  ];
}

function noticeParts(state: State): Line[] {
  const { notice } = state;
  return noticeLines(state).map(text => [[` ${text}`, notice?.tone ?? 'plain']]);
}

function footer(state: State): Line {
  if (state.isAsking)
    return [
      [' Stop the service? ', 'bad'],
      ['y', 'strong'],
      [' stop, after the requests in flight   ', 'plain'],
      ['any other key', 'strong'],
      [' go on', 'plain'],
    ];
  if (state.isHelp)
    return [
      [' any key', 'strong'],
      [' back', 'dim'],
    ];
  const last = state.pending.at(-1);
  const pending = last === undefined ? '' : pendingText(last.order);
  const keys: Line = [
    ...key('r', 'reload'),
    ...key('+ -', 'scale'),
    ...key('s', 'stop'),
    ...key('o', 'sort'),
    ...key('e', 'errors'),
    ...key('p', state.frozen === undefined ? 'pause' : 'go on'),
    ...key('?', 'help'),
    ...key('q', 'quit'),
  ];
  return pending === '' ? keys : [[` … ${pending} `, 'passing'], ...keys];
}

const key = (name: string, does: string): Line => [
  [` ${name}`, 'strong'],
  [` ${does} `, 'dim'],
];

function pendingText(order: Order): string {
  if (order.action === 'scale') return `scaling to ${order.instances}`;
  return order.action === 'reload' ? 'reloading' : 'stopping';
}
