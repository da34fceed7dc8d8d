/** The snapshot of one worker, and how snapshots of siblings are validated. */
import { readdirSync } from 'node:fs';
import { machineMs, PHASES, readLoop, type Phase } from './loop-stats.js';
import { createRecent, type RecentFigures } from './recent.js';
import { readDurations, type Durations, type Series } from './request-stats.js';
import type { SupervisedBy } from '../protocol/supervised-by.js';
import type { SharedView } from './shared-state.js';

/** Amounts that only grow while the process lives. */
export const COUNTERS = [
  'cpuUserSeconds',
  'cpuSystemSeconds',
  'loopIdleSeconds',
  'loopActiveSeconds',
  'refusedByOverload',
  'refusedByConnections',
  'logLinesLost',
] as const;
/** Amounts of this moment. */
export const GAUGES = [
  'uptimeSeconds',
  'blockedSeconds',
  'activeRequests',
  'openConnections',
  'loopUtilization',
  'delayP50Seconds',
  'delayP90Seconds',
  'delayP99Seconds',
  'heapUsedBytes',
  'heapLimitBytes',
  'rssBytes',
  'openFiles',
] as const;

/** Which service a worker belongs to, and what runs it. */
export interface ServiceIdentity {
  readonly supervisedBy: SupervisedBy;
  /** Name of the app; nothing where the worker runs alone. */
  readonly name: string | undefined;
  /** Absolute path of the program. */
  readonly script: string;
  readonly node: string;
  /** How often PM2 has restarted it; nothing elsewhere. */
  readonly restarts: number | undefined;
}

export interface Snapshot {
  readonly service: ServiceIdentity;
  readonly slot: number;
  readonly pid: number;
  readonly phase: Phase;
  readonly counters: Readonly<Record<(typeof COUNTERS)[number], number>>;
  readonly gauges: Readonly<Record<(typeof GAUGES)[number], number>>;
  readonly requests: readonly (Series & Durations)[];
  readonly recent: RecentFigures;
  /** Where the loop is blocked; nothing while it turns, and where no stack could be had. */
  readonly blockedAt: string | null;
}

/** So many samples of the loop's delay are kept. */
const MAX_DELAYS = 240;

export interface SnapshotNeeds {
  readonly service: ServiceIdentity;
  readonly slot: number;
  readonly view: SharedView;
  readonly loop: SharedArrayBuffer;
  readonly stats: SharedArrayBuffer;
  /** Every series so far, in the order of their numbers. */
  readonly series: readonly Series[];
  /** How long the loop has not turned, in ms. */
  blockedMs(): number;
  /** Where it is blocked, if that is known. */
  blockedAt(): string | null;
}

export interface Snapshots {
  /** The loop has answered a ping. */
  turned(): void;
  take(): Snapshot;
}

export function createSnapshots(needs: SnapshotNeeds): Snapshots {
  const { service, slot, view, loop, stats, series, blockedMs, blockedAt } = needs;
  const recent = createRecent({ stats, loop });
  const startedAt = machineMs() - process.uptime() * 1_000;
  const delays: number[] = [];
  let last = readLoop(loop);
  let utilization = 0;

  return {
    turned() {
      const now = readLoop(loop);
      const [idle, active] = [now.idleMs - last.idleMs, now.activeMs - last.activeMs];
      if (idle + active > 0) utilization = active / (idle + active);
      last = now;
      recent.sample();
      delays.push(now.delayMs);
      if (delays.length > MAX_DELAYS) delays.shift();
    },
    take() {
      const figures = readLoop(loop);
      const cpu = process.cpuUsage();
      const sorted = delays.toSorted((one, other) => one - other);
      const delay = (share: number): number => (sorted[Math.floor(sorted.length * share)] ?? 0) / 1_000;
      const blocked = blockedMs();
      return {
        service,
        slot,
        pid: process.pid,
        phase: PHASES[figures.phase] ?? 'booting',
        counters: {
          cpuUserSeconds: cpu.user / 1e6,
          cpuSystemSeconds: cpu.system / 1e6,
          loopIdleSeconds: figures.idleMs / 1_000,
          loopActiveSeconds: figures.activeMs / 1_000,
          refusedByOverload: figures.refusedByOverload,
          refusedByConnections: figures.refusedByConnections,
          logLinesLost: figures.lostLines,
        },
        gauges: {
          uptimeSeconds: (machineMs() - startedAt) / 1_000,
          blockedSeconds: blocked / 1_000,
          activeRequests: view.inFlight(),
          openConnections: figures.connections,
          // A loop that does not turn has no time to spare.
          loopUtilization: blocked > 0 ? 1 : utilization,
          delayP50Seconds: delay(0.5),
          delayP90Seconds: delay(0.9),
          delayP99Seconds: delay(0.99),
          heapUsedBytes: figures.heapUsed,
          heapLimitBytes: figures.heapLimit,
          rssBytes: process.memoryUsage.rss(),
          openFiles: openFiles(),
        },
        requests: series.map((one, index) => ({ ...one, ...readDurations(stats, index) })),
        recent: recent.figures(),
        blockedAt: blocked > 0 ? blockedAt() : null,
      };
    },
  };
}

/** 0 where there is no `/proc`. */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/** Whether it replaces a worker of its slot that has died: one that leaves does not. */
export const holdsSlot = ({ snapshot }: { readonly snapshot: Snapshot | undefined }): boolean =>
  snapshot?.phase === 'booting' || snapshot?.phase === 'serving';

/** @returns nothing if this is no snapshot: another program answers, or another version of this one */
export function parseSnapshot(text: string): Snapshot | undefined {
  try {
    const value = JSON.parse(text) as Snapshot;
    const { service, slot, pid, phase, counters, gauges, requests, recent } = value;
    const isWhole =
      typeof service.script === 'string' &&
      Number.isFinite(recent.requestsPerSecond) &&
      Number.isInteger(slot) &&
      Number.isInteger(pid) &&
      PHASES.includes(phase) &&
      COUNTERS.every(name => Number.isFinite(counters[name])) &&
      GAUGES.every(name => Number.isFinite(gauges[name])) &&
      requests.every(
        ({ method, route, status, buckets, sum }) =>
          typeof method === 'string' &&
          typeof route === 'string' &&
          Number.isInteger(status) &&
          buckets.every(Number.isFinite) &&
          Number.isFinite(sum),
      );
    const { blockedAt } = value;
    return isWhole ? { ...value, blockedAt: typeof blockedAt === 'string' ? blockedAt : null } : undefined;
  } catch {
    return undefined;
  }
}
