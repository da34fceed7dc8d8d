/**
 * Durations of all requests, counted by the main thread in shared memory, so that the observer thread can report them
 * while the main one is blocked.
 */

/** Upper bounds of the buckets in seconds, as OpenTelemetry's semantic conventions advise for HTTP servers. */
export const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

/** How many series are counted apart at most. Later ones are counted together, so that no scan fills the memory. */
const MAX_SERIES = 500;

/** One for each bucket, one above the last, and the sum of all durations. */
const SERIES_NUMBERS = BUCKETS.length + 2;
const SUM = BUCKETS.length + 1;

/** Behind the series: all requests by their duration, for quantiles. */
const LATENCIES_AT = MAX_SERIES * SERIES_NUMBERS;

/** The shortest duration with a bucket of its own, in seconds; each bucket reaches 1.19 times as far as the one before. */
const SHORTEST = 0.000_05;
const BUCKETS_PER_DOUBLING = 4;
const LATENCIES = 90;

/** Upper bounds in seconds; durations beyond the last, which is about four minutes, count as that. */
export const LATENCY_BOUNDS: readonly number[] = Array.from(
  { length: LATENCIES },
  (_, index) => SHORTEST * 2 ** (index / BUCKETS_PER_DOUBLING),
);

/** Methods with a label of their own (RFC 9110, RFC 5789); OpenTelemetry calls all others `_OTHER`. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);
const OTHER = '_OTHER';

/** Labels of one series. */
export interface Series {
  readonly method: string;
  /** As it was registered: `/games/:id`; empty where no route has matched. */
  readonly route: string;
  readonly status: number;
}

export interface RequestStats {
  count(method: string, route: string, status: number, seconds: number): void;
  /** The series so far, in the order of their numbers. */
  readonly series: readonly Series[];
}

export const createStatsMemory = (): SharedArrayBuffer =>
  new SharedArrayBuffer((LATENCIES_AT + LATENCIES) * 8);

/** @param onSeries called for every new series, with its number */
export function countRequests(memory: SharedArrayBuffer, onSeries: (series: Series) => void): RequestStats {
  const numbers = new Float64Array(memory);
  /** By route, method and status. */
  const indices = new Map<string, Map<string, Map<number, number>>>();
  const series: Series[] = [];

  const indexOf = (method: string, route: string, status: number): number =>
    indices.get(route)?.get(method)?.get(status) ?? add(METHODS.has(method) ? method : OTHER, route, status);

  function add(method: string, route: string, status: number): number {
    // A made-up method is looked up once more by its common name.
    const known = indices.get(route)?.get(method)?.get(status);
    if (known !== undefined) return known;
    if (series.length === MAX_SERIES) return MAX_SERIES - 1;
    const isLast = series.length === MAX_SERIES - 1;
    const one = isLast ? { method: OTHER, route: OTHER, status: 0 } : { method, route, status };
    onSeries(one);
    const index = series.push(one) - 1;
    const methods = indices.get(one.route) ?? new Map<string, Map<number, number>>();
    const statuses = methods.get(one.method) ?? new Map<number, number>();
    indices.set(one.route, methods.set(one.method, statuses.set(one.status, index)));
    return index;
  }

  return {
    series,
    count(method, route, status, seconds) {
      const at = indexOf(method, route, status) * SERIES_NUMBERS;
      let bucket = 0;
      while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] ?? 0)) bucket++;
      numbers[at + bucket] = (numbers[at + bucket] ?? 0) + 1;
      numbers[at + SUM] = (numbers[at + SUM] ?? 0) + seconds;
      const latency = LATENCIES_AT + latencyBucket(seconds);
      numbers[latency] = (numbers[latency] ?? 0) + 1;
    },
  };
}

function latencyBucket(seconds: number): number {
  if (seconds <= SHORTEST) return 0;
  return Math.min(LATENCIES - 1, Math.ceil(Math.log2(seconds / SHORTEST) * BUCKETS_PER_DOUBLING));
}

/** How many requests have ended so far, in each bucket of {@link LATENCY_BOUNDS}. */
export const readLatencies = (memory: SharedArrayBuffer): number[] => [
  ...new Float64Array(memory, LATENCIES_AT * 8, LATENCIES),
];

/** How many requests there were in each bucket (not cumulated), and how long they took together, in seconds. */
export interface Durations {
  readonly buckets: readonly number[];
  readonly sum: number;
}

export function readDurations(memory: SharedArrayBuffer, index: number): Durations {
  const at = index * SERIES_NUMBERS;
  const numbers = new Float64Array(memory, at * 8, SERIES_NUMBERS);
  return { buckets: [...numbers.subarray(0, SUM)], sum: numbers[SUM] ?? 0 };
}
