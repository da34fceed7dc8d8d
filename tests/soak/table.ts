/** What a soak found, as one table. */
import type { Report } from '../support/strict-client.js';

/** How many workers there were at one moment. */
export interface Sample {
  readonly at: number;
  readonly serving: number;
  readonly wanted: number;
  /** Workers of any state, and slots without one. */
  readonly rows: number;
}

export interface Findings {
  readonly reports: readonly Report[];
  readonly samples: readonly Sample[];
  readonly actions: ReadonlyMap<string, number>;
  readonly falls: number;
  readonly held: number;
  readonly late: number;
}

/** So many columns tell the course of the worker counts. */
const COLUMNS = 24;

export function table({ reports, samples, actions, falls, held, late }: Findings): string {
  const sum = (of: (report: Report) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const kinds = [
    ...new Set(reports.flatMap(({ failures }) => Object.keys(failures))),
  ] as (keyof Report['failures'])[];
  const failures = kinds.map(kind => `${sum(report => report.failures[kind] ?? 0)} ${kind}`);
  const longest = Math.max(0, ...reports.map(({ longestMs }) => longestMs));
  const short = samples.filter(({ serving, wanted }) => serving < wanted).length;
  const rows: (readonly [string, string])[] = [
    ['requests sent', String(sum(({ sent }) => sent))],
    ['answered', String(sum(({ answered }) => answered))],
    ['failed', failures.length === 0 ? '0' : failures.join(', ')],
    ['of these held', `${held} by ${falls} workers that were killed, exited or hung`],
    ['of these too late', `${late} when the service had stopped`],
    ['longest answer', `${longest} ms`],
    ['longest silence', `${reports[0]?.longestGapMs ?? 0} ms between any two answers`],
    ['workers serving', counts(samples, ({ serving }) => serving)],
    ['workers wanted', counts(samples, ({ wanted }) => wanted)],
    ['fewer than wanted', `${((100 * short) / Math.max(1, samples.length)).toFixed(1)} % of the time`],
    ...[...actions]
      .toSorted(([, a], [, b]) => b - a)
      .map(([name, count]) => [name, `${count} times`] as const),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return ['', ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`), ''].join('\n');
}

/** The course of a number: what it was at so many moments, evenly apart. */
function counts(samples: readonly Sample[], of: (sample: Sample) => number): string {
  const end = samples.at(-1)?.at ?? 0;
  const moments = Array.from({ length: COLUMNS }, (_, column) => (end * (column + 1)) / COLUMNS);
  return moments
    .map(moment => samples.findLast(({ at }) => at <= moment))
    .map(found => (found ? of(found) : '–'))
    .join(' ');
}
