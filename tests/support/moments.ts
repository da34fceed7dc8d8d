/** Moments of made-up services, for tests of what is shown of them. */
import type { LiveWorker, LogLine, Moment } from '../../src/live/messages.js';

/** Half past noon where the test runs. */
export const NOON = new Date(2026, 0, 2, 12, 30, 0).getTime();

export const worker = (slot: number, more: Partial<LiveWorker> = {}): LiveWorker => ({
  slot,
  pid: 4_700 + slot,
  state: 'ready',
  generation: 1,
  restarts: 0,
  uptimeMs: 3_720_000,
  cpu: 12.5 * (slot + 1),
  memory: (60 + slot) * 2 ** 20,
  eventLoopUtilization: 0.125,
  requestsPerSecond: 100 * (slot + 1),
  p50Ms: 0.8,
  p99Ms: 12.3,
  inFlight: slot,
  ...more,
});

export const moment = (workers: readonly LiveWorker[], more: Partial<Moment> = {}): Moment => ({
  at: NOON,
  app: 'api',
  supervisedBy: 'native',
  state: 'ready',
  why: [],
  served: workers.length,
  wanted: workers.length,
  workers,
  routes: [],
  ...more,
});

export const logLine = (text: string, more: Partial<LogLine> = {}): LogLine => ({
  at: NOON,
  slot: 0,
  pid: 4_700,
  level: 'info',
  requestId: null,
  text,
  ...more,
});
