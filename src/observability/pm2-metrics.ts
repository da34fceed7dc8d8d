/**
 * The "custom metrics" of `pm2 monit` and `pm2 describe`. PM2's own agent patches `http` to get them (`pmx: false` keeps it
 * away); here the worker sends what it counts anyway, in the form of that agent (`axm:monitor`, PM2's lib/Daemon.js).
 */
import { readLoop } from './loop-stats.js';
import type { Recent } from './recent.js';
import type { Pm2Metrics } from '../protocol/messages.js';

/** PM2 shows the last values until new ones come. */
const INTERVAL_MS = 5_000;

export interface Pm2MetricsNeeds {
  readonly recent: Recent;
  inFlight(): number;
  readonly loop: SharedArrayBuffer;
  send(message: Pm2Metrics): void;
  /** For tests. */
  readonly now?: () => number;
}

/**
 * @returns what is to be called whenever the main loop turns for another reason: no timer of its own wakes an idle worker
 */
export function tellPm2({
  recent,
  inFlight,
  loop,
  send,
  now = () => performance.now(),
}: Pm2MetricsNeeds): () => void {
  let sentAt = -Infinity;
  return () => {
    recent.sample();
    if (now() - sentAt < INTERVAL_MS) return;
    sentAt = now();
    const { requestsPerSecond, p99Seconds, loopUtilization } = recent.figures();
    send({
      type: 'axm:monitor',
      data: {
        Requests: metric(requestsPerSecond, 'req/s'),
        'HTTP P99 Latency': metric(p99Seconds === null ? null : p99Seconds * 1_000, 'ms'),
        'Requests in Flight': metric(inFlight(), ''),
        'Event Loop Utilization': metric(loopUtilization === null ? null : loopUtilization * 100, '%'),
        'Used Heap Size': metric(readLoop(loop).heapUsed / 2 ** 20, 'MiB'),
      },
    });
  };
}

const metric = (value: number | null, unit: string): Pm2Metrics['data'][string] => ({
  value: value === null ? '-' : String(Math.round(value * 10) / 10),
  unit,
});
