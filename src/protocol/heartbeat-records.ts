/**
 * The heartbeats of all workers, in a nameless file in memory: each worker writes into a record of its own, the
 * supervisor reads them whenever it has to. A heartbeat costs its worker one small write and wakes no other process; as
 * messages, heartbeats took the supervisor more than twice the time (decision 0003).
 */
import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_HEARTBEAT_RECORDS } from './limits.js';

/** File descriptor of the records in every worker: the next one after its standard streams and its channel. */
const HEARTBEAT_FD = 4;

/** Interval of the heartbeats at the pace `fast`. */
export const HEARTBEAT_MS = 10;

/** Interval of the heartbeats at a slow pace. */
export const SLOW_HEARTBEAT_MS = 2_000;

/**
 * How a worker writes heartbeats. `slow-until-busy`: slowly while it has no work; with the first work it becomes `fast`
 * by itself, and sends `cabe:busy`.
 */
export const PACES = ['fast', 'slow', 'slow-until-busy'] as const;

export type Pace = (typeof PACES)[number];

/** Two numbers of 8 bytes: {@link Heartbeat}. */
const RECORD_BYTES = 16;

/** Both by {@link monotonicMs}; 0 before the first. */
export interface Heartbeat {
  /** When the worker's event loop last turned. */
  readonly beatAt: number;
  /** When the worker last had work. */
  readonly busyAt: number;
}

/** The supervisor's side. */
export interface HeartbeatRecords {
  /** For the workers' `stdio`, as the fifth descriptor. */
  readonly fd: number;
  /** Which file it is, for {@link writeHeartbeat}. */
  readonly file: string;
  /** @returns a blank record, for one worker; nothing if all are in use */
  reserve(): number | undefined;
  release(record: number): void;
  /** Reads the file; {@link of} then returns what it says. */
  refresh(): void;
  of(record: number): Heartbeat;
}

/** Milliseconds on a clock that never jumps and is the same in all processes of a machine (CLOCK_MONOTONIC). */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** @throws AggregateError if no file can be created in any of the folders */
export function createHeartbeatRecords(
  folders: readonly string[] = ['/dev/shm', tmpdir()],
): HeartbeatRecords {
  const fd = openNamelessFile(folders);
  const file = fileAt(fd);
  const reserved = new Set<number>();
  let values = new Float64Array();
  let readAt = 0;
  /** A worker can write anything into any record; what cannot be true counts as never written. */
  const timeAt = (index: number): number => {
    const time = values[index] ?? 0;
    return time <= readAt ? time : 0;
  };

  return {
    fd,
    file,
    reserve() {
      let record = 0;
      while (reserved.has(record)) record++;
      if (record === MAX_HEARTBEAT_RECORDS) return undefined;
      reserved.add(record);
      writeHeartbeat({ record, file }, { beatAt: 0, busyAt: 0 }, fd);
      return record;
    },
    release: record => void reserved.delete(record),
    refresh() {
      const records = Math.max(...reserved, -1) + 1;
      if (values.byteLength < records * RECORD_BYTES) values = new Float64Array(records * 2);
      readSync(fd, values, 0, records * RECORD_BYTES, 0);
      readAt = monotonicMs();
    },
    of: record => ({ beatAt: timeAt(record * 2), busyAt: timeAt(record * 2 + 1) }),
  };
}

/** One for all heartbeats of a process: nothing is allocated for one. */
const buffer = new Float64Array(RECORD_BYTES / 8);

/**
 * The worker's side. An app that closes descriptors it has not opened may get this number for a file of its own.
 * @returns false if the descriptor does not lead to the file of the records any more: nothing is written then
 */
export function writeHeartbeat(
  { record, file }: { readonly record: number; readonly file: string },
  { beatAt, busyAt }: Heartbeat,
  fd = HEARTBEAT_FD,
): boolean {
  buffer[0] = beatAt;
  buffer[1] = busyAt;
  try {
    if (fileAt(fd) !== file) return false;
    return writeSync(fd, buffer, 0, RECORD_BYTES, record * RECORD_BYTES) === RECORD_BYTES;
  } catch {
    return false;
  }
}

/** Device and inode of an open file: no other file has both. @throws Error if the descriptor is not open */
function fileAt(fd: number): string {
  const { dev, ino } = fstatSync(fd);
  return `${dev}:${ino}`;
}

function openNamelessFile(folders: readonly string[]): number {
  const failures: unknown[] = [];
  for (const folder of folders) {
    const path = join(folder, `cabe-heartbeats-${process.pid}-${process.hrtime.bigint()}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      fill(fd, path);
      return fd;
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, failures.map(error => (error as Error).message).join('; '));
}

/** Written once as a whole: no heartbeat can then fail for lack of memory. @throws Error that names the path */
function fill(fd: number, path: string): void {
  const size = MAX_HEARTBEAT_RECORDS * RECORD_BYTES;
  try {
    const zeros = new Uint8Array(size);
    for (let written = 0; written < size;) written += writeSync(fd, zeros, written, size - written, written);
  } catch (error) {
    closeSync(fd);
    throw Object.assign(error as Error, { path });
  }
}
