/**
 * Whole lines for a descriptor that other processes write to as well, without ever waiting for its reader.
 *
 * A pipe keeps a write together only up to PIPE_BUF bytes (POSIX, `write`), so lines go out in pieces that are no larger
 * and end at a line end. What the output does not take waits in a queue of bounded size; what finds no room there is
 * counted, and reported once the output takes lines again.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { fitted } from './shorten.js';

/** Bytes that are written to a pipe in one piece, however many processes write to it (Linux). */
export const PIPE_BUF = 4_096;

/** Bytes that are written in one piece to a file or a terminal. */
const BATCH_BYTES = 64 * 1024;

/** Bytes that may wait for the reader. */
const MAX_QUEUED_BYTES = 8 * 1024 * 1024;

/** Delays before a full output is tried again, in ms: doubled each time, from the first to the last. */
const RETRY_MS = { first: 1, last: 32 } as const;

/** How long a process that ends waits for a full output, in ms. */
const LAST_WORDS_MS = 500;

/** The pause between two tries of a process that ends, in ms. */
const NAP_MS = 2;

export interface Target {
  readonly fd: number;
  /** A pipe or a socket, which several processes share: see {@link PIPE_BUF}. */
  readonly isPipe: boolean;
}

/**
 * Opens standard output or error for writing without waiting. A description of our own is not touched by what other
 * processes set on the inherited one: Node itself switches that to waiting whenever it starts a child.
 */
export function openTarget(fd: 1 | 2): Target {
  const stat = fstatSync(fd);
  const isPipe = stat.isFIFO() || stat.isSocket();
  if (!stat.isFIFO() && !isatty(fd)) return { fd, isPipe };
  try {
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    return { fd: openSync(`/proc/self/fd/${fd}`, flags), isPipe };
  } catch {
    return { fd, isPipe }; // no /proc, or a pipe of another user
  }
}

/** One line to standard error if that takes it at once, for what cannot be said in the log. */
export function tellStandardError(line: string): void {
  try {
    const { fd } = openTarget(2);
    writeSync(fd, line);
    if (fd !== 2) closeSync(fd);
  } catch {
    // full or closed: there is no other place
  }
}

export interface LineWriterOptions {
  readonly target: Target;
  /** Something but a full pipe keeps lines from being written. */
  failed(error: NodeJS.ErrnoException): void;
  /** The output takes lines again: so many were lost meanwhile, and why. */
  lost(count: number, reason: string): void;
  /** For tests: `writeSync` of `node:fs`. */
  readonly write?: (fd: number, bytes: Uint8Array, offset: number, length: number) => number;
}

export interface LineWriter {
  /** @param line written with the next {@link send}, or before if a piece is full */
  add(line: string): void;
  send(): void;
  /**
   * Waits for the output, {@link LAST_WORDS_MS} at most and no second time while it takes nothing.
   * @returns how many lines its reader has left waiting, or kept from being queued
   */
  flushSync(): number;
  /** Lines lost since the start. */
  totalLost(): number;
}

/** Lines that are written together. */
interface Piece {
  readonly bytes: Buffer;
  readonly lines: number;
  /** Its begin is written already. */
  readonly isBegun: boolean;
}

/** The errors of a reader that went away: a closed pipe, a terminal that is gone. */
export const READER_GONE: ReadonlySet<string | undefined> = new Set(['EPIPE', 'EIO']);

const TOO_SLOW = 'the reader of standard output was too slow';

export function createLineWriter({
  target: { fd, isPipe },
  failed,
  lost: report,
  write = writeSync,
}: LineWriterOptions): LineWriter {
  const buffer = Buffer.allocUnsafe(isPipe ? PIPE_BUF : BATCH_BYTES);
  let [filled, lines] = [0, 0];
  const losses = createLosses(report);
  const queue = createQueue({ send: bytes => write(fd, bytes, 0, bytes.length), failed, losses });

  /** UTF-8 takes three bytes for a UTF-16 unit at most; only near the end of a piece it is worth counting. */
  function add(line: string): void {
    const room = buffer.length - filled;
    if (line.length * 3 > room && Buffer.byteLength(line) > room) {
      send();
      if (Buffer.byteLength(line) > buffer.length) return addLong(line);
    }
    filled += buffer.write(line, filled);
    lines++;
  }

  function addLong(line: string): void {
    if (!isPipe) return queue.put({ bytes: Buffer.from(line), lines: 1, isBegun: false });
    for (const part of fitted(line, PIPE_BUF)) add(part);
  }

  function send(): void {
    if (filled === 0) return;
    const piece = { bytes: buffer.subarray(0, filled), lines, isBegun: false };
    [filled, lines] = [0, 0];
    queue.put(piece);
  }

  return {
    add,
    send,
    flushSync() {
      send();
      return queue.flushSync();
    },
    totalLost: losses.total,
  };
}

/** Lines that are lost, until their number is reported. */
interface Losses {
  add(piece: Piece, reason: string): void;
  /** How many are lost and not reported yet. */
  count(): number;
  /** Since the start. */
  total(): number;
  report(): void;
}

function createLosses(report: LineWriterOptions['lost']): Losses {
  let [lost, total, reason] = [0, 0, ''];
  return {
    add({ lines }, why) {
      lost += lines;
      total += lines;
      reason = why;
    },
    count: () => lost,
    total: () => total,
    report() {
      const count = lost;
      lost = 0;
      report(count, reason);
    },
  };
}

interface QueueNeeds {
  /** @returns how many bytes the output has taken @throws Error with a code, EAGAIN if it is full */
  send(bytes: Buffer): number;
  failed(error: NodeJS.ErrnoException): void;
  readonly losses: Losses;
}

interface Queue {
  put(piece: Piece): void;
  /** As {@link LineWriter.flushSync}. */
  flushSync(): number;
}

/** What the output has not taken yet, in order and of bounded size; it is tried again after growing delays. */
function createQueue({ send, failed, losses }: QueueNeeds): Queue {
  const queue: Piece[] = [];
  let queued = 0;
  let retryMs: number = RETRY_MS.first;
  let triedAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let patienceMs = LAST_WORDS_MS;
  /** While it loses for want of room, it loses all that comes. */
  let isFull = false;

  /** A busy loop that writes gives no timer a chance. */
  function put(piece: Piece): void {
    if (queue.length > 0 && performance.now() - triedAt >= retryMs) drain();
    const rest = queue.length === 0 ? deliver(piece) : piece;
    if (rest !== undefined) keep(rest);
  }

  function keep(piece: Piece): void {
    if (!piece.isBegun) {
      isFull ||= queued + piece.bytes.length > MAX_QUEUED_BYTES;
      if (isFull) return losses.add(piece, TOO_SLOW);
    }
    // What a piece is made in is used for the next one.
    queue.push({ ...piece, bytes: Buffer.from(piece.bytes) });
    queued += piece.bytes.length;
    retryLater();
  }

  /** @returns what the output has not taken */
  function deliver(piece: Piece): Piece | undefined {
    const { bytes } = piece;
    try {
      const written = send(bytes);
      retryMs = RETRY_MS.first;
      patienceMs = LAST_WORDS_MS;
      if (written < bytes.length) return { ...piece, bytes: bytes.subarray(written), isBegun: true };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') return piece;
      failed(error as NodeJS.ErrnoException);
      // The rest of a line that is half written comes before anything else.
      if (piece.isBegun && !READER_GONE.has(code)) return piece;
      losses.add(piece, message);
      return undefined;
    }
    // Not now: the report is a line itself.
    if (losses.count() > 0) setImmediate(reportLost);
    return undefined;
  }

  /** Where there is room again: else it would be lost, too. */
  function reportLost(): void {
    if (losses.count() === 0 || queued > MAX_QUEUED_BYTES / 2) return;
    isFull = false;
    losses.report();
  }

  function drain(): void {
    triedAt = performance.now();
    for (let piece = queue[0]; piece !== undefined; piece = queue[0]) {
      const rest = deliver(piece);
      queued -= piece.bytes.length - (rest?.bytes.length ?? 0);
      if (rest !== undefined) {
        queue[0] = rest;
        return;
      }
      queue.shift();
    }
  }

  function retryLater(): void {
    if (timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      drain();
      if (queue.length > 0) retryLater();
    }, retryMs);
    retryMs = Math.min(retryMs * 2, RETRY_MS.last);
  }

  return {
    put,
    flushSync() {
      drain();
      const deadline = performance.now() + patienceMs;
      while (queue.length > 0 && performance.now() < deadline) {
        Atomics.wait(NAP, 0, 0, NAP_MS);
        drain();
      }
      if (queue.length === 0) return 0;
      patienceMs = 0;
      return queue.reduce((sum, piece) => sum + piece.lines, isFull ? losses.count() : 0);
    },
  };
}

/** Nobody changes it: waiting for it is a pause. */
const NAP = new Int32Array(new SharedArrayBuffer(4));
