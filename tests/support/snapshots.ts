import type { Snapshot } from '../../src/observability/snapshot.js';

/** What an idle worker says beside its counters and gauges. */
export const IDLE: Pick<Snapshot, 'service' | 'recent' | 'blockedAt'> = {
  service: {
    supervisedBy: 'none',
    name: undefined,
    script: '/app/index.js',
    node: 'v20',
    restarts: undefined,
  },
  recent: { requestsPerSecond: 0, p50Seconds: null, p99Seconds: null, loopUtilization: 0, cpuPercent: 0 },
  blockedAt: null,
};
