/** Which part of the screen gets how many rows. Pure. */
import { safe, wrapped } from './text.js';
import { newest, shown, type State } from './state.js';
import { TREND_COLUMNS, TRENDS } from './trends.js';

/** Longest notice, in rows. */
const MAX_NOTICE = 3;

/** Reasons that are shown at most. */
const MAX_WHY = 3;

/** Rows of the parts between the headline above and the notice and footer below, from top to bottom. */
export interface Layout {
  readonly why: number;
  /** Trends beside each other, and rows of them. */
  readonly trends: { readonly perRow: number; readonly rows: number };
  readonly gap: number;
  /** With its heading; it has none where it has no row. */
  readonly table: number;
  /** The first worker that is shown, counted from 0. */
  readonly firstWorker: number;
  /** With its heading; none where it has no row. */
  readonly log: number;
}

export function layoutOf(state: State): Layout {
  const { columns, rows } = state.size;
  const { why, workers } = newest(shown(state));
  const perRow = Math.min(TRENDS.length, Math.max(1, Math.floor(columns / TREND_COLUMNS)));
  const trendRows = rows >= 16 ? Math.min(2, Math.ceil(TRENDS.length / perRow)) : rows >= 12 ? 1 : 0;
  const whyRows = Math.min(why.length, rows >= 16 ? MAX_WHY : 1);
  const notice = noticeLines(state).length;
  const gap = rows >= 20 ? 1 : 0;
  const body = Math.max(0, rows - 2 - whyRows - trendRows - gap - notice);
  const table = Math.min(workers.length + 1, body - rowsForLog(body, workers.length));
  return {
    why: whyRows,
    trends: { perRow, rows: trendRows },
    gap,
    table,
    firstWorker: Math.min(state.scroll, Math.max(0, workers.length - (table - 1))),
    log: body - table,
  };
}

/** Its heading says which workers are shown where there is no room for all. */
function rowsForLog(body: number, workers: number): number {
  if (body >= 6) return Math.max(3, Math.floor(body / 3));
  return body >= 3 && body < workers + 1 ? 1 : 0;
}

/** How many workers are shown at a time. */
export const rowsOfWorkers = (state: State): number => Math.max(1, layoutOf(state).table - 1);

export const noticeLines = ({ notice, size }: State): string[] =>
  notice === undefined
    ? []
    : wrapped(safe(notice.text), size.columns - 1, Math.min(MAX_NOTICE, size.rows - 2));
