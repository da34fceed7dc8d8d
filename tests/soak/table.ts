/** The results of a soak as a table. */
import type { Report } from '../support/strict-client.js';

/** The number of workers at one moment. */
export interface Sample {
  readonly at: number;
  readonly serving: number;
  readonly wanted: number;
  /** Workers in any state, and slots without a worker. */
  readonly rows: number;
}

export interface Results {
  readonly reports: readonly Report[];
  readonly samples: readonly Sample[];
  readonly actions: ReadonlyMap<string, number>;
  readonly failedWorkers: number;
  readonly held: number;
  readonly late: number;
}

/** How many values show the number of workers over time. */
const COLUMNS = 24;

export function table(results: Results): string {
  const { samples } = results;
  const rows: (readonly [string, string])[] = [
    ...figures(results),
    ['workers serving', overTime(samples, ({ serving }) => serving)],
    ['workers wanted', overTime(samples, ({ wanted }) => wanted)],
    ...actionsOf(results),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return ['', ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`), ''].join('\n');
}

/** The section of `docs/reliability.md`. */
export function chaosPage(
  results: Results,
  { seed, minutes, workers }: { readonly seed: number; readonly minutes: number; readonly workers: number },
): string {
  const actions = [...results.actions.values()].reduce((sum, count) => sum + count, 0);
  const row = ([name, value]: readonly [string, string]): string => `| ${name} | ${value} |`;
  return `Node ${process.version}, ${minutes} minutes, seed ${seed}, from ${workers} workers on: ${actions} actions, one after the
other, under constant load. The only requests that failed are those on connections that a failed worker held,
and those after the service was stopped at the end.

${['| | |', '| --- | --- |', ...figures(results).map(row)].join('\n')}

${['| action | |', '| --- | --- |', ...actionsOf(results).map(row)].join('\n')}`;
}

function figures({ reports, samples, failedWorkers, held, late }: Results): (readonly [string, string])[] {
  const sum = (of: (report: Report) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const kinds = [
    ...new Set(reports.flatMap(({ failures }) => Object.keys(failures))),
  ] as (keyof Report['failures'])[];
  const failures = kinds.map(kind => `${sum(report => report.failures[kind] ?? 0)} ${kind}`);
  const longest = Math.max(0, ...reports.map(({ longestMs }) => longestMs));
  const short = samples.filter(({ serving, wanted }) => serving < wanted).length;
  return [
    ['requests sent', String(sum(({ sent }) => sent))],
    ['answered', String(sum(({ answered }) => answered))],
    ['failed', failures.length === 0 ? '0' : failures.join(', ')],
    [
      'on failed workers',
      `${held} (${failedWorkers} workers were killed, exited, hung or broke their channel)`,
    ],
    ['after the stop', String(late)],
    ['slowest answer', `${longest} ms`],
    ['longest gap', `${reports[0]?.longestGapMs ?? 0} ms between two answers`],
    ['fewer than wanted', `${((100 * short) / Math.max(1, samples.length)).toFixed(1)} % of the time`],
  ];
}

const actionsOf = ({ actions }: Results): (readonly [string, string])[] =>
  [...actions]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => [name, count === 1 ? 'once' : `${count} times`]);

/** A number over time, at regular intervals. */
function overTime(samples: readonly Sample[], of: (sample: Sample) => number): string {
  const end = samples.at(-1)?.at ?? 0;
  const moments = Array.from({ length: COLUMNS }, (_, column) => (end * (column + 1)) / COLUMNS);
  return moments
    .map(moment => samples.findLast(({ at }) => at <= moment))
    .map(found => (found ? of(found) : '–'))
    .join(' ');
}
