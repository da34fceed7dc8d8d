/** Log lines of all workers are sent together, a bounded number at a time. */
import { linesMissing } from './log-line.js';
import type { LogLine } from './messages.js';

/** How long lines are collected, in ms. */
const BATCH_MS = 100;

/** So many lines are sent at once: what all workers of a large service copy may be more than a page can show. */
const MAX_LINES = 1_000;

export interface LogBatches {
  add(line: LogLine): void;
}

export function createLogBatches(send: (lines: readonly LogLine[]) => void): LogBatches {
  let lines: LogLine[] = [];
  let dropped = 0;
  /** The worker that the notice names has lost a line. */
  let lastDropped: LogLine | undefined;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    if (lastDropped !== undefined)
      lines.push(linesMissing(dropped, lastDropped, 'there are too many to show', Date.now()));
    send(lines);
    [lines, dropped, lastDropped, timer] = [[], 0, undefined, undefined];
  }

  return {
    add(line) {
      timer ??= setTimeout(flush, BATCH_MS);
      if (lines.length < MAX_LINES) return void lines.push(line);
      dropped++;
      lastDropped = line;
    },
  };
}
