/** The figures that workers tell of themselves, as `status` shows them. */
import type { Snapshot } from '../../observability/snapshot.js';

/** Figures of one worker: those of the last ten seconds, and of this moment. `null` where it cannot be asked. */
export interface WorkerFigures {
  /** Share of time in which its event loop was busy, from 0 to 1. */
  readonly eventLoopUtilization: number | null;
  readonly requestsPerSecond: number | null;
  /** 99th percentile of the durations of its requests, in ms; `null` without requests, too. */
  readonly p99: number | null;
  readonly inFlight: number | null;
}

export const NO_FIGURES: WorkerFigures = {
  eventLoopUtilization: null,
  requestsPerSecond: null,
  p99: null,
  inFlight: null,
};

export function figuresOf({ recent, gauges }: Snapshot): WorkerFigures {
  const { requestsPerSecond, p99Seconds, loopUtilization } = recent;
  return {
    // A blocked loop is fully used, although its last sample may say otherwise.
    eventLoopUtilization: gauges.blockedSeconds >= 1 ? 1 : rounded(loopUtilization, 1_000),
    requestsPerSecond: rounded(requestsPerSecond, 10),
    p99: p99Seconds === null ? null : rounded(p99Seconds * 1_000, 10),
    inFlight: gauges.activeRequests,
  };
}

const rounded = (value: number | null, parts: number): number | null =>
  value === null ? null : Math.round(value * parts) / parts;
