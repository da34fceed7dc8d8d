/** Whether memory and disk suffice. Pure. */
import type { DiagnosticsRequest } from './request.js';

/** What there is, in bytes. */
export interface Room {
  /** Resident memory of the worker. */
  readonly rss: number;
  /** Memory that the worker may still take, of its control group and of the machine. */
  readonly availableMemory: number;
  /** Free space where the file is written. */
  readonly freeDisk: number;
}

const MB = 1_000_000;

/** A report, and a profile of no time. */
const LEAST = 16 * MB;

/** Of a profile, for each second; with a sample each millisecond it takes a tenth of it. */
const PROFILE_SECOND = MB;

/**
 * Node's documentation: a heap snapshot takes about twice the memory of the heap, so the process may double. The file has
 * all strings as JSON, which may be longer than they are in memory.
 */
const needed = ({ kind, seconds }: DiagnosticsRequest, rss: number): { memory: number; disk: number } => {
  if (kind === 'heap') return { memory: rss, disk: 2 * rss };
  const bytes = LEAST + (kind === 'cpu' ? seconds * PROFILE_SECOND : 0);
  return { memory: bytes, disk: bytes };
};

/** @returns nothing if there is enough */
export function whyNoRoom(
  request: DiagnosticsRequest,
  { rss, availableMemory, freeDisk }: Room,
): string | undefined {
  const { memory, disk } = needed(request, rss);
  if (memory > availableMemory)
    return `too little memory: it may take ${mb(memory)}, and ${mb(availableMemory)} are available`;
  if (disk > freeDisk) return `too little disk space: it may take ${mb(disk)}, and ${mb(freeDisk)} are free`;
  return undefined;
}

const mb = (bytes: number): string => `${Math.round(bytes / MB)} MB`;
