/**
 * Copies of log lines for the clients that follow the log (`live/log-tail.ts`): batches of bounded size, sent to the
 * observer thread. While no client follows, a line costs one comparison.
 */
import type { Output } from './stdout.js';

/** Lines as the logger made them, each with its line end. */
export interface LogBatch {
  readonly lines: string;
  /** Lines that found no room in it. */
  readonly dropped: number;
}

/** How long a line waits for others, in ms. */
const BATCH_MS = 100;

/** Longest batch, in characters: with {@link BATCH_MS} about 2,500 usual lines per second. */
const MAX_BATCH = 64 * 1024;

/** So much of a batch is for warnings and errors alone. */
const RESERVED = MAX_BATCH / 4;

/** Where the level stands in `{"level":30,`, and the digits with which warnings and last words begin (pino's 40, 60). */
const LEVEL_AT = '{"level":'.length;
const WARNING = '4'.charCodeAt(0);
const FATAL = '6'.charCodeAt(0);

let send: ((batch: LogBatch) => void) | undefined;
let timer: NodeJS.Timeout | undefined;
let lines = '';
let dropped = 0;

/** @param to takes batches from now on; `undefined` ends the copying */
export function copyLogLines(to: ((batch: LogBatch) => void) | undefined): void {
  flush();
  send = to;
}

/** The same output; what is written to it is copied while there is a follower. */
export const copied = (output: Output): Output => ({
  ...output,
  write(line) {
    if (send !== undefined) add(line);
    output.write(line);
  },
  writeSoon(line) {
    if (send !== undefined) add(line);
    output.writeSoon(line);
  },
});

function add(line: string): void {
  const level = line.charCodeAt(LEVEL_AT);
  const room = level >= WARNING ? MAX_BATCH : MAX_BATCH - RESERVED;
  if (lines.length + line.length > room) dropped++;
  else lines += line;
  // The process may end before the next batch is due.
  if (level >= FATAL) flush();
  else timer ??= setTimeout(flush, BATCH_MS).unref();
}

function flush(): void {
  clearTimeout(timer);
  timer = undefined;
  if (lines === '' && dropped === 0) return;
  const batch = { lines, dropped };
  [lines, dropped] = ['', 0];
  send?.(batch);
}
