/**
 * Whole lines for a descriptor that other processes write to as well, without ever waiting for its reader.
 *
 * A pipe keeps a write together only up to PIPE_BUF bytes (POSIX, `write`), so lines go out in pieces that are no larger
 * and end at a line end. What the output does not take waits in a queue of bounded size; what finds no room there is
 * counted, and reported once the output takes lines again.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { createLosses, createQueue } from './line-queue.js';
import { fitted } from './shorten.js';

/** Bytes that are written to a pipe in one piece, however many processes write to it (Linux). */
export const PIPE_BUF = 4_096;

/** Bytes that are written in one piece to a file or a terminal. */
const BATCH_BYTES = 64 * 1024;

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
   * Waits for the output, for a bounded time and no second time while it takes nothing.
   * @returns how many lines its reader has left waiting, or kept from being queued
   */
  flushSync(): number;
  /** Lines lost since the start. */
  totalLost(): number;
}

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
