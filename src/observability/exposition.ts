/**
 * The service's figures as Prometheus reads them. Names follow OpenTelemetry's semantic conventions (HTTP server, Node.js
 * and V8 runtime, process) where there is one, in the spelling of its Prometheus compatibility rules.
 */
import type { Registry as ClientRegistry } from '@prometheus-io/client';
import { NAME, VERSION } from '../version.js';
import { BUCKETS } from './request-stats.js';
import type { Snapshot } from './snapshot.js';
import type { Totals } from './totals.js';

/** One slot as it is exposed. */
export interface SlotFigures {
  readonly slot: number;
  /** The newest serving process; nothing if none has answered. */
  readonly newest: Snapshot | undefined;
  readonly draining: number;
  /** Workers forked to replace one that had exited; `undefined` if unknown. */
  readonly restarts: number | undefined;
  readonly generation: number | undefined;
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly metricName?: string;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: readonly Sample[];
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** OpenTelemetry's name for what all series of a service have in common. */
const SERVICE: Metric = {
  name: 'target_info',
  help: 'Name and version of the service.',
  type: 'gauge',
  values: [{ labels: { service_name: NAME, service_version: VERSION }, value: 1 }],
};

export async function exposition(slots: readonly SlotFigures[], totals: Totals): Promise<string> {
  // Loaded only by the thread that is asked.
  const { Registry } = require('@prometheus-io/client') as { Registry: typeof ClientRegistry };
  const metrics = [SERVICE, ...ofWorkers(slots), ...gauges(slots), ...counters(totals), durations(totals)];
  return Registry.aggregate([metrics.filter(({ values }) => values.length > 0)]).metrics();
}

const worker = (slot: number): Record<string, string> => ({ worker: String(slot) });

function ofWorkers(slots: readonly SlotFigures[]): Metric[] {
  const gauge = (
    name: string,
    help: string,
    value: (figures: SlotFigures) => number | undefined,
  ): Metric => ({
    name,
    help,
    type: name.endsWith('_total') ? 'counter' : 'gauge',
    values: slots.flatMap(figures => {
      const found = value(figures);
      return found === undefined ? [] : [{ labels: worker(figures.slot), value: found }];
    }),
  });
  return [
    gauge(
      'worker_up',
      'Whether the worker of this slot answers, serves, and is not blocked.',
      ({ newest }) => (newest !== undefined && isUp(newest) ? 1 : 0),
    ),
    gauge('worker_draining', 'Processes of this slot that drain.', ({ draining }) => draining),
    gauge(
      'worker_restarts_total',
      'Workers started to replace one that had exited.',
      figures => figures.restarts,
    ),
    gauge(
      'worker_generation',
      'Generation of the worker; each reload raises it.',
      figures => figures.generation,
    ),
  ];
}

/** A loop that has been blocked for so long is not up, in seconds. */
const BLOCKED_SECONDS = 1;

export const isUp = ({ phase, gauges: { blockedSeconds } }: Snapshot): boolean =>
  phase === 'serving' && blockedSeconds < BLOCKED_SECONDS;

/** [figure, name, help] */
const GAUGE_NAMES: readonly (readonly [keyof Snapshot['gauges'], string, string])[] = [
  ['uptimeSeconds', 'process_uptime_seconds', 'Time since the process began.'],
  ['blockedSeconds', 'worker_blocked_seconds', 'How long the event loop has not turned; 0 while it turns.'],
  ['activeRequests', 'http_server_active_requests', 'Requests that are being answered.'],
  ['openConnections', 'http_server_open_connections', 'Open client connections.'],
  [
    'loopUtilization',
    'nodejs_eventloop_utilization_ratio',
    'Share of time in which the event loop was busy, from 0 to 1.',
  ],
  ['delayP50Seconds', 'nodejs_eventloop_delay_p50_seconds', 'Median delay of the event loop.'],
  [
    'delayP90Seconds',
    'nodejs_eventloop_delay_p90_seconds',
    '90th percentile of the delay of the event loop.',
  ],
  [
    'delayP99Seconds',
    'nodejs_eventloop_delay_p99_seconds',
    '99th percentile of the delay of the event loop.',
  ],
  ['heapUsedBytes', 'v8js_memory_heap_used_bytes', 'JavaScript heap in use.'],
  ['heapLimitBytes', 'v8js_memory_heap_limit_bytes', 'Largest JavaScript heap that V8 allows.'],
  ['rssBytes', 'process_memory_usage_bytes', 'Resident memory.'],
  ['openFiles', 'process_open_fds', 'Open file descriptors.'],
];

const gauges = (slots: readonly SlotFigures[]): Metric[] =>
  GAUGE_NAMES.map(([figure, name, help]) => ({
    name,
    help,
    type: 'gauge',
    values: slots.flatMap(({ slot, newest }) =>
      newest === undefined ? [] : [{ labels: worker(slot), value: newest.gauges[figure] }],
    ),
  }));

function counters(totals: Totals): Metric[] {
  const counter = (
    name: string,
    help: string,
    label: string,
    states: Readonly<Record<string, keyof Snapshot['counters']>>,
  ): Metric => ({
    name,
    help,
    type: 'counter',
    values: [...totals.slots()].flatMap(([slot, sums]) =>
      Object.entries(states).map(([state, figure]) => ({
        labels: { ...worker(slot), [label]: state },
        value: sums.counters[figure],
      })),
    ),
  });
  return [
    counter('process_cpu_time_seconds_total', 'CPU time spent.', 'process_cpu_state', {
      user: 'cpuUserSeconds',
      system: 'cpuSystemSeconds',
    }),
    counter(
      'nodejs_eventloop_time_seconds_total',
      'Time that the event loop was active or idle.',
      'nodejs_eventloop_state',
      {
        active: 'loopActiveSeconds',
        idle: 'loopIdleSeconds',
      },
    ),
    counter('http_server_requests_shed_total', 'Requests and connections that were refused.', 'reason', {
      overload: 'refusedByOverload',
      connections: 'refusedByConnections',
    }),
    {
      name: 'worker_log_lines_lost_total',
      help: 'Log lines that standard output did not take.',
      type: 'counter',
      values: [...totals.slots()].map(([slot, { counters: sums }]) => ({
        labels: worker(slot),
        value: sums.logLinesLost,
      })),
    },
  ];
}

function durations(totals: Totals): Metric {
  const name = 'http_server_request_duration_seconds';
  const values = [...totals.slots()].flatMap(([slot, { requests }]) =>
    requests.flatMap(({ method, route, status, buckets, sum }) => {
      const labels = {
        ...worker(slot),
        http_request_method: method,
        http_route: route,
        http_response_status_code: String(status),
      };
      let count = 0;
      const cumulated = buckets.map((inBucket, index) => {
        count += inBucket;
        const le = index < BUCKETS.length ? String(BUCKETS[index]) : '+Inf';
        return { labels: { ...labels, le }, value: count, metricName: `${name}_bucket` };
      });
      return [
        ...cumulated,
        { labels, value: sum, metricName: `${name}_sum` },
        { labels, value: count, metricName: `${name}_count` },
      ];
    }),
  );
  return { name, help: 'Duration of HTTP requests.', type: 'histogram', values };
}
