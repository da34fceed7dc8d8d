/**
 * Where workers show that their event loops turn: a file without a name, in memory, in which each has a record of its
 * own, and which the supervisor reads whenever it wants to know. A beat costs its worker one small write and wakes
 * nobody; as messages, beats took the supervisor more than twice the time (decision 0003).
 */
import { openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Descriptor of the board in every worker: the next one after its standard streams and its channel. */
const BOARD_FD = 4;

/** How often a worker beats, while its supervisor wants to know. */
export const PULSE_MS = 10;

/** Two numbers: when its loop last turned, and when it last had anything to do; see {@link monotonicMs}. */
const RECORD_BYTES = 16;

/** All of them are written once at the beginning: no beat can fail for want of memory. */
const RECORDS = 4_096;

export interface PulseBoard {
  readonly fd: number;
  /** A blank record, for one worker; nothing if all are taken. */
  reserve(): number | undefined;
  release(record: number): void;
  /** Reads what the records say by now. */
  refresh(): void;
  beatAt(record: number): number;
  busyAt(record: number): number;
}

/** Milliseconds on a clock that never jumps, and that is the same in all processes of a machine (CLOCK_MONOTONIC). */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** @throws Error if there is no folder in which a file can be made */
export function createPulseBoard(folders: readonly string[] = ['/dev/shm', tmpdir()]): PulseBoard {
  const fd = openNameless(folders);
  writeSync(fd, new Uint8Array(RECORDS * RECORD_BYTES), 0, RECORDS * RECORD_BYTES, 0);
  const taken = new Set<number>();
  let seen = new Float64Array();

  return {
    fd,
    reserve() {
      let record = 0;
      while (taken.has(record)) record++;
      if (record === RECORDS) return undefined;
      taken.add(record);
      writeBeat(record, { beatAt: 0, busyAt: 0 }, fd);
      return record;
    },
    release: record => void taken.delete(record),
    refresh() {
      const records = Math.max(...taken, -1) + 1;
      if (seen.byteLength < records * RECORD_BYTES) seen = new Float64Array(records * 2);
      readSync(fd, seen, 0, records * RECORD_BYTES, 0);
    },
    beatAt: record => seen[record * 2] ?? 0,
    busyAt: record => seen[record * 2 + 1] ?? 0,
  };
}

const beat = new Float64Array(RECORD_BYTES / 8);

/** What a worker has to say. */
export function writeBeat(
  record: number,
  { beatAt, busyAt }: { readonly beatAt: number; readonly busyAt: number },
  fd = BOARD_FD,
): void {
  beat[0] = beatAt;
  beat[1] = busyAt;
  writeSync(fd, beat, 0, RECORD_BYTES, record * RECORD_BYTES);
}

function openNameless(folders: readonly string[]): number {
  const failures: unknown[] = [];
  for (const folder of folders) {
    const path = join(folder, `cabe-pulse-${process.pid}-${process.hrtime.bigint()}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return fd;
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, failures.map(error => (error as Error).message).join('; '));
}
