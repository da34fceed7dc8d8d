/** Where log lines go: standard output, direct or as PM2 replaced it. */
import { READER_GONE } from './line-queue.js';
import { createLineWriter, openTarget, tellStandardError, type LineWriter } from './line-writer.js';

/** A place for whole lines. Writing never throws, and never waits for a reader. */
export interface Output {
  write(line: string): void;
  /** Writes together with other lines of this turn of the event loop, in their order. */
  writeSoon(line: string): void;
  /** Waits, for a bounded time, until everything is written; pino calls it after a fatal line. */
  flushSync?(): void;
  /** Calls when lines were lost and the output takes lines again. The first caller is called. */
  onLost?(call: (count: number, reason: string) => void): void;
}

/** As many characters are written without waiting for the end of the turn. */
const BATCH = 64 * 1024;

/** An output out of something that writes: one call for all the lines of a turn. */
export function outputTo(write: (lines: string) => void): Output {
  let pending = '';
  function flush(): void {
    const lines = pending;
    pending = '';
    if (lines !== '') write(lines);
  }
  process.on('exit', flush);
  return {
    write(line) {
      flush();
      write(line);
    },
    writeSoon(line) {
      if (pending === '') setImmediate(flush);
      pending += line;
      if (pending.length > BATCH) flush();
    },
  };
}

/**
 * PM2 replaces `process.stdout.write`, and only what goes through it reaches `pm2 logs`; direct writes to the
 * descriptor, and pino's transports, end up in the log of PM2's daemon. Elsewhere lines go to the descriptor.
 */
export function standardOutput(): Output {
  return (shared ??= openStandardOutput());
}

/** One for all loggers of the process: lines keep their order. */
let shared: Output | undefined;

let writer: LineWriter | undefined;

/** Lines that this process has lost since its start. */
export const lostLines = (): number => writer?.totalLost() ?? 0;

function openStandardOutput(): Output {
  outliveErrors();
  if (!isReplaced()) {
    writer = createLineWriter({
      target: openTarget(1),
      failed: outlive,
      lost: (count, reason) => reportLost?.(count, reason),
    });
    return directOutput(writer);
  }
  return outputTo(lines => {
    unwritten++;
    process.stdout.write(lines, 'utf8', () => unwritten--);
  });
}

let reportLost: ((count: number, reason: string) => void) | undefined;

function directOutput({ add, send, flushSync }: LineWriter): Output {
  let isExiting = false;
  let isDue = false;

  function sendSoon(): void {
    isDue = false;
    send();
  }

  process.on('exit', () => {
    isExiting = true;
    const left = flushSync();
    if (left > 0) tellStandardError(`${linesLost(left)} at the end: standard output has no reader\n`);
  });
  return {
    write(line) {
      add(line);
      send();
      // No timer fires any more.
      if (isExiting) flushSync();
    },
    writeSoon(line) {
      add(line);
      if (isDue) return;
      isDue = true;
      setImmediate(sendSoon);
    },
    flushSync: () => void flushSync(),
    onLost: call => void (reportLost ??= call),
  };
}

/** `3 log lines lost` */
export const linesLost = (count: number): string => `${count} log ${count === 1 ? 'line' : 'lines'} lost`;

const isReplaced = (): boolean =>
  process.stdout.write !== (process.stdout.constructor.prototype as NodeJS.WriteStream).write;

/** What has been given to a replaced standard output, and is not known to have been written. */
let unwritten = 0;

/** How long an exit waits for that at most: a replacement may never call back. */
const PATIENCE_MS = 1_000;

/**
 * Calls when every line has been written: at once, where we write ourselves. PM2 writes its log files when it finds
 * the time (ProcessContainer.js:196-199), and a process that exits before that takes its last words with it.
 */
export function whenWritten(call: () => void): void {
  if (!isReplaced()) return call();
  const deadline = performance.now() + PATIENCE_MS;
  const look = (): void => {
    if (unwritten === 0 || performance.now() > deadline) call();
    else setTimeout(look, 1);
  };
  // Lines of this turn are given at its end.
  setImmediate(look);
}

/** A service outlives its log: a failure to write, a full disk for example, is reported once on standard error. */
function outlive(error: NodeJS.ErrnoException): void {
  if (READER_GONE.has(error.code) || reported.has(error.code)) return;
  reported.add(error.code);
  tellStandardError(`Log lines are lost: ${error.message}\n`);
}

/** The two are often the same file: nothing that is written to either, by Node itself say, may end the service. */
function outliveErrors(): void {
  // Once for each, however many loggers there are.
  for (const stream of [process.stdout, process.stderr]) stream.off('error', outlive).on('error', outlive);
}

const reported = new Set<string | undefined>();
