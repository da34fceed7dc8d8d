/** The table of workers. Pure. */
import type { LiveWorker } from '../../live/messages.js';
import { fit, sorted, type Fitted } from './columns.js';
import type { Layout } from './layout.js';
import { styleOf, type Line } from './paint.js';
import { pieces, sparkline, type Sample } from './sparkline.js';
import { newest, type Data, type State } from './state.js';
import { padEnd, padStart, safe } from './text.js';

export function tableLines(state: State, data: Data, { table: rows, firstWorker }: Layout): Line[] {
  if (rows === 0) return [];
  const moment = newest(data);
  const workers = sorted(moment.workers, state.sort).map(worker => ({
    ...worker,
    state: safe(worker.state),
  }));
  const visible = workers.slice(firstWorker, firstWorker + rows - 1);
  const columns = fit(moment.workers, state.size.columns);
  const heading = columns.flatMap(column => headingParts(column, state));
  const histories = visible.map(worker => historyOf(worker, data));
  const tops = columns.map(({ column: { trend } }) =>
    trend === undefined
      ? 0
      : Math.max(trend.top, ...histories.flat().map(([, worker]) => (worker && trend.value(worker)) ?? 0)),
  );
  const isOld = data.lost !== undefined;
  const lines = visible.map((worker, row) =>
    columns.flatMap((column, index): Line => {
      const history = histories[row] ?? [];
      const cell = cellParts(worker, column, isOld);
      return [...cell, ...trendCell(column, history, moment.at, tops[index] ?? 0)];
    }),
  );
  return [heading, ...lines];
}

function headingParts({ column, margin, width, trendWidth }: Fitted, state: State): Line {
  const pad = column.align === 'left' ? padEnd : padStart;
  const trend = trendWidth === 0 ? '' : ' '.repeat(trendWidth + 1);
  return [
    [' '.repeat(margin), 'plain'],
    [pad(column.title, width), column.sort === state.sort ? 'strong' : 'dim'],
    [trend, 'plain'],
  ];
}

/** What asks for attention is coloured, the rest is not. */
function cellParts(worker: LiveWorker, { column, margin, width }: Fitted, isOld: boolean): Line {
  const pad = column.align === 'left' ? padEnd : padStart;
  const text = pad(column.cell(worker), width);
  const style = isOld ? 'dim' : column.title === 'state' ? styleOf(worker.state) : 'plain';
  return [
    [' '.repeat(margin), 'plain'],
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
