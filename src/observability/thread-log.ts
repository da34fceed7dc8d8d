/**
 * Log lines of the observer thread. The main thread, which has the logger, may be blocked: so they are written here, in
 * the form of the others, straight to the descriptor or to PM2's log file.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { openTarget, PIPE_BUF } from '../platform/line-writer.js';
import { fitted } from '../platform/shorten.js';

export interface ThreadLogTarget {
  /** JSON of the fields that every line of this process carries, without braces. */
  readonly fields: string;
  /** The least level that is written, as pino's number. */
  readonly level: number;
  /** Lines for reading, as in development. */
  readonly isReadable: boolean;
  /** PM2's log file: what is written to the descriptor ends up in the log of PM2's daemon. */
  readonly file: string | undefined;
}

export type ThreadLog = (
  level: keyof typeof LEVELS,
  msg: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** pino's numbers. */
const LEVELS = { info: 30, warn: 40, fatal: 60 } as const;

/** How long a full pipe may delay a line. */
const PATIENCE_MS = 1_000;

/** @param copy gets every line that is written, as JSON */
export function createThreadLog(
  { fields, level: least, isReadable, file }: ThreadLogTarget,
  copy: (line: string) => void,
): ThreadLog {
  return (level, msg, more = {}) => {
    if (LEVELS[level] < least) return;
    const asJson = json(level, msg, more);
    for (const part of fitted(isReadable ? readable(level, msg, more) : asJson, PIPE_BUF)) write(part, file);
    copy(asJson);
  };

  function json(level: keyof typeof LEVELS, msg: string, more: Readonly<Record<string, unknown>>): string {
    return `{"level":${LEVELS[level]},"time":${Date.now()},${fields},${JSON.stringify({ ...more, msg }).slice(1)}\n`;
  }
}

/** As pino-pretty writes them without colours. */
function readable(level: string, msg: string, more: Readonly<Record<string, unknown>>): string {
  const now = new Date();
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString();
  const rest = Object.keys(more).length === 0 ? '' : ` ${JSON.stringify(more)}`;
  return `[${local.slice(0, 10)} ${local.slice(11, 19)}] ${level.toUpperCase()}: ${msg}${rest}\n`;
}

let standardOutput: number | undefined;

function write(line: string, file: string | undefined): void {
  try {
    if (file === undefined) return writeAll((standardOutput ??= openTarget(1).fd), line);
    const fd = openSync(file, 'a');
    writeAll(fd, line);
    closeSync(fd);
  } catch {
    // The log has no reader any more, or it cannot be opened: the worker is watched all the same.
  }
}

/** Into a pipe that is full it waits for a while. */
function writeAll(fd: number, line: string): void {
  const bytes = Buffer.from(line);
  const deadline = performance.now() + PATIENCE_MS;
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
