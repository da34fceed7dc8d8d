/**
 * What the live views show, as `GET /live` of the management port sends it (server-sent events): `history` once, then
 * `moment` every second, `lifecycle` and `log` when there is something. `monit` shows the same.
 *
 * The page (`src/live/page`) orders with `Authorization: Bearer TOKEN` and a JSON body: `POST /reload {}`,
 * `POST /scale {"instances": N}`, `POST /stop {}`, and `POST /diagnose {"slot": N, "kind": "cpu" | "heap" | "report"}`, which
 * is answered with the file, its name in `Content-Disposition`. A refusal is `{"reason": "…"}`.
 */

/** One worker at one moment; `null` is what could not be known. */
export interface LiveWorker {
  readonly slot: number;
  readonly pid: number | null;
  /** As in `status`: ready, starting, hung, draining, backoff, errored, … */
  readonly state: string;
  readonly generation: number | null;
  readonly restarts: number | null;
  readonly uptimeMs: number | null;
  /** Percent of one core. */
  readonly cpu: number | null;
  /** RSS in bytes. */
  readonly memory: number | null;
  /** From 0 to 1. */
  readonly eventLoopUtilization: number | null;
  readonly requestsPerSecond: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly inFlight: number | null;
}

/** One route since the moment before. */
export interface LiveRoute {
  readonly method: string;
  readonly route: string;
  readonly requestsPerSecond: number;
  /** Answers with a status of 500 and above, per second. */
  readonly errorsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** The service at one moment. */
export interface Moment {
  /** ms since the epoch. */
  readonly at: number;
  readonly app: string;
  readonly supervisedBy: 'native' | 'pm2' | 'none';
  /** As in `status`: ready, degraded, crash-looping, reloading, … */
  readonly state: string;
  /** A sentence for each slot that is not in order. */
  readonly why: readonly string[];
  readonly served: number;
  readonly wanted: number;
  readonly workers: readonly LiveWorker[];
  readonly routes: readonly LiveRoute[];
}

export const LIFECYCLE_KINDS = [
  'start',
  'ready',
  'reload',
  'crash',
  'hang',
  'scale',
  'memory',
  'stop',
] as const;
export type LifecycleKind = (typeof LIFECYCLE_KINDS)[number];

/** Something has happened to the service. */
export interface Lifecycle {
  /** ms since the epoch. */
  readonly at: number;
  readonly kind: LifecycleKind;
  readonly slot: number | null;
  readonly pid: number | null;
  /** One sentence: with exit code and reason where a process ended. */
  readonly text: string;
  /** Of a hung worker; `null` elsewhere. */
  readonly stack: string | null;
}

/** A line of a worker's log. */
export interface LogLine {
  /** ms since the epoch. */
  readonly at: number;
  readonly slot: number;
  readonly pid: number;
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  readonly requestId: string | null;
  readonly text: string;
}

/** What has been so far, bounded: sent once to each viewer. */
export interface LiveHistory {
  /** Sparser the older they are; the oldest is an hour old. */
  readonly moments: readonly Moment[];
  readonly lifecycle: readonly Lifecycle[];
}
