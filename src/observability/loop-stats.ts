/** Figures of the main thread that only the main thread knows: noted in shared memory whenever it answers a ping. */
import { getHeapStatistics } from 'node:v8';
import type { RefusalReason } from '../overload/admission.js';
import { lostLines } from '../platform/stdout.js';

/** Phases of a worker, in the order of its life; their numbers are what is shared. */
export const PHASES = ['booting', 'serving', 'draining', 'failed', 'exiting'] as const;
export type Phase = (typeof PHASES)[number];

const FIELDS = [
  'phase',
  'connections',
  'refusedByOverload',
  'refusedByConnections',
  'heapUsed',
  'heapLimit',
  'idleMs',
  'activeMs',
  'delayMs',
  'lostLines',
] as const;
type Field = (typeof FIELDS)[number];

/** Bytes and milliseconds; `idleMs` and `activeMs` are counted since the start of the loop. */
export type LoopFigures = Readonly<Record<Field, number>>;

export const createLoopMemory = (): SharedArrayBuffer => new SharedArrayBuffer(FIELDS.length * 8);

export interface LoopStats {
  phase(phase: Phase): void;
  /** A connection has been opened (1), or closed (-1). */
  connection(change: 1 | -1): void;
  /** A request or a connection was not handled. */
  refused(reason: RefusalReason): void;
  /** @param sentAt when the ping was sent that is being answered, by {@link machineMs} */
  sample(sentAt: number): void;
}

/** CLOCK_MONOTONIC in ms: no clock step changes it, and it is the same in all threads. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;

export function noteLoop(memory: SharedArrayBuffer): LoopStats {
  const numbers = new Float64Array(memory);
  const set = (field: Field, value: number): void => {
    numbers[FIELDS.indexOf(field)] = value;
  };
  let connections = 0;
  const refused = { overload: 0, connections: 0 };
  return {
    phase: phase => set('phase', PHASES.indexOf(phase)),
    connection(change) {
      connections += change;
      set('connections', connections);
    },
    refused(reason) {
      set(reason === 'overload' ? 'refusedByOverload' : 'refusedByConnections', ++refused[reason]);
    },
    sample(sentAt) {
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      const { idle, active } = performance.eventLoopUtilization();
      set('heapUsed', used);
      set('heapLimit', limit);
      set('idleMs', idle);
      set('activeMs', active);
      set('delayMs', machineMs() - sentAt);
      set('lostLines', lostLines());
    },
  };
}

export function readLoop(memory: SharedArrayBuffer): LoopFigures {
  const numbers = new Float64Array(memory);
  return Object.fromEntries(FIELDS.map((field, index) => [field, numbers[index] ?? 0])) as LoopFigures;
}
