/** Figures of the whole service over the last two minutes. Pure. */
import type { LiveWorker, Moment } from '../../live/messages.js';
import type { Line } from './paint.js';
import { pieces, sparkline, type Sample } from './sparkline.js';
import type { Data } from './state.js';
import { padEnd, padStart } from './text.js';

/** Columns of one trend: a figure and its sparkline. */
export const TREND_COLUMNS = 38;

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

export const TRENDS: readonly Trend[] = [
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

export function trendLines(
  data: Data,
  { perRow, rows }: { perRow: number; rows: number },
  columns: number,
): Line[] {
  const width = Math.min(TREND_COLUMNS + 12, Math.floor((columns - 2) / perRow));
  return Array.from({ length: rows }, (_, row) =>
    TRENDS.slice(row * perRow, (row + 1) * perRow).flatMap(trend => trendParts(trend, data, width)),
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
