/** Where log lines go: standard output, whoever has it. */

/** A place for whole lines. Writing never throws; into a pipe that is full it waits, as everywhere in Node. */
export interface Output {
  write(line: string): void;
  /** Writes together with other lines of this turn of the event loop, in their order. */
  writeSoon(line: string): void;
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
 * PM2 replaces `process.stdout.write`, and only what goes through it reaches `pm2 logs`; pino's own direct writes to
 * the descriptor, and transports, end up in the log of PM2's daemon. Elsewhere the direct way is the fast one.
 */
export function standardOutput(): Output {
  return (shared ??= openStandardOutput());
}

/** One for all loggers of the process: lines keep their order. */
let shared: Output | undefined;

function openStandardOutput(): Output {
  outliveErrors();
  if (isReplaced()) {
    return outputTo(lines => {
      unwritten++;
      process.stdout.write(lines, 'utf8', () => unwritten--);
    });
  }
  const { destination } = require('pino') as typeof import('pino');
  const direct = destination({ fd: 1, sync: true }).on('error', outlive);
  return outputTo(lines => void direct.write(lines));
}

/** The same for a process that writes a line now and then, and has no room for pino. */
export function lightOutput(): Output {
  outliveErrors();
  return outputTo(lines => void process.stdout.write(lines));
}

const isReplaced = (): boolean =>
  process.stdout.write !== (process.stdout.constructor.prototype as NodeJS.WriteStream).write;

/** What has been given to a replaced standard output, and is not known to have been written. */
let unwritten = 0;

/** How long an exit waits for that at most: somebody may have replaced it who never tells. */
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

/** The errors of a reader that went away: a closed pipe, a terminal that is gone. Nobody is left to be told. */
const READER_GONE = new Set(['EPIPE', 'EIO']);

/** A service outlives its log: whatever keeps it from writing, a full disk say, is told once where it still may be read. */
function outlive(error: NodeJS.ErrnoException): void {
  if (READER_GONE.has(error.code ?? '') || told.has(error.code ?? '')) return;
  told.add(error.code ?? '');
  process.stderr.write(`Log lines are lost: ${error.message}\n`);
}

/** The two are often the same file: nothing that is written to either, by Node itself say, may end the service. */
function outliveErrors(): void {
  // Once for each, however many loggers there are.
  for (const stream of [process.stdout, process.stderr]) stream.off('error', outlive).on('error', outlive);
}

const told = new Set<string>();
