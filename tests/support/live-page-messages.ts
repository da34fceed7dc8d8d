/** Messages of the live views for tests. */
import type { Lifecycle, LiveWorker, LogLine, Moment } from '../../src/live/messages.js';

const WORKER: LiveWorker = {
  slot: 0,
  pid: 4100,
  state: 'ready',
  generation: 1,
  restarts: 0,
  uptimeMs: 60_000,
  cpu: 40,
  memory: 90 * 2 ** 20,
  eventLoopUtilization: 0.4,
  requestsPerSecond: 100,
  p50Ms: 1.5,
  p99Ms: 8,
  inFlight: 1,
};

/** The workers of slots 0, 1, … of a service that is well. */
export const workers = (number: number, fields: Partial<LiveWorker> = {}): LiveWorker[] =>
  Array.from({ length: number }, (_, slot) => ({ ...WORKER, slot, pid: 4100 + slot, ...fields }));

/** A service that is well. */
export const moment = (at: number, fields: Partial<Moment> = {}): Moment => ({
  at,
  app: 'cabe-arena-api',
  supervisedBy: 'native',
  state: 'ready',
  why: [],
  served: 2,
  wanted: 2,
  workers: workers(2),
  routes: [
    { method: 'GET', route: '/health', requestsPerSecond: 150, errorsPerSecond: 0, p50Ms: 1.5, p99Ms: 8 },
  ],
  ...fields,
});

export const lifecycle = (at: number, fields: Partial<Lifecycle> = {}): Lifecycle => ({
  at,
  kind: 'reload',
  slot: null,
  pid: null,
  text: 'reloaded',
  stack: null,
  ...fields,
});

export const logLine = (at: number, fields: Partial<LogLine> = {}): LogLine => ({
  at,
  slot: 0,
  pid: 4100,
  level: 'info',
  requestId: null,
  text: 'GET /health 200',
  ...fields,
});
