/** What a worker has done lately: rates and quantiles of the last ten seconds, from what the main thread counts. */
import { machineMs, readLoop } from './loop-stats.js';
import { readLatencies, LATENCY_BOUNDS } from './request-stats.js';

/** Figures are those of so long a time, in ms; of less after the start. */
const WINDOW_MS = 10_000;

/** Samples are so far apart at least. */
const STEP_MS = 1_000;

export interface RecentFigures {
  readonly requestsPerSecond: number;
  /** Median of the durations; nothing where there was no request. */
  readonly p50Seconds: number | null;
  /** 99th percentile of the same. */
  readonly p99Seconds: number | null;
  /** Share of time in which the event loop was busy, from 0 to 1; nothing before it was seen twice. */
  readonly loopUtilization: number | null;
  /** CPU of the whole process, in percent of one core. */
  readonly cpuPercent: number;
}

export interface Recent {
  /** To be called again and again, at any pace. */
  sample(): void;
  figures(): RecentFigures;
}

interface Sample {
  readonly at: number;
  readonly latencies: readonly number[];
  readonly idleMs: number;
  readonly activeMs: number;
  readonly cpuMs: number;
}

export interface RecentNeeds {
  readonly stats: SharedArrayBuffer;
  readonly loop: SharedArrayBuffer;
  /** For tests. */
  readonly now?: () => number;
  /** When the process started, in ms of `now`: everything was zero then. */
  readonly startedAt?: number;
}

const BLANK = { latencies: [], idleMs: 0, activeMs: 0, cpuMs: 0 };

/** A process younger than the window is seen from its start: the observer starts after the first requests. */
export function createRecent({
  stats,
  loop,
  now = machineMs,
  startedAt = machineMs() - process.uptime() * 1_000,
}: RecentNeeds): Recent {
  const samples: Sample[] = [now() - startedAt < WINDOW_MS ? { at: startedAt, ...BLANK } : look()];

  function look(): Sample {
    const { idleMs, activeMs } = readLoop(loop);
    const { user, system } = process.cpuUsage();
    return { at: now(), latencies: readLatencies(stats), idleMs, activeMs, cpuMs: (user + system) / 1_000 };
  }

  /** Keeps the newest sample that is older than the window: the figures reach back to it. */
  function dropOld(at: number): void {
    while (samples.length > 1 && (samples[1]?.at ?? at) <= at - WINDOW_MS) samples.shift();
  }

  return {
    sample() {
      const at = now();
      if (at - (samples.at(-1)?.at ?? 0) < STEP_MS) return;
      samples.push(look());
      dropOld(at);
    },
    figures() {
      const current = look();
      dropOld(current.at);
      return between(samples[0] ?? current, current);
    },
  };
}

function between(from: Sample, to: Sample): RecentFigures {
  const ms = to.at - from.at;
  const counts = to.latencies.map((count, index) => count - (from.latencies[index] ?? 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const [idle, active] = [to.idleMs - from.idleMs, to.activeMs - from.activeMs];
  return {
    requestsPerSecond: ms > 0 ? (total * 1_000) / ms : 0,
    p50Seconds: total === 0 ? null : quantile(counts, total * 0.5),
    p99Seconds: total === 0 ? null : quantile(counts, total * 0.99),
    loopUtilization: idle + active > 0 ? active / (idle + active) : null,
    cpuPercent: ms > 0 ? ((to.cpuMs - from.cpuMs) * 100) / ms : 0,
  };
}

/** The upper bound of the bucket in which the request of this rank is. */
function quantile(counts: readonly number[], rank: number): number {
  let seen = 0;
  const index = counts.findIndex(count => (seen += count) >= rank);
  return LATENCY_BOUNDS[index] ?? LATENCY_BOUNDS.at(-1) ?? 0;
}
