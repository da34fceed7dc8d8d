/** The pool as operators see it: `status --json`, `GET /status`, the process title. */
import type {
  Exit,
  ExitCause,
  History,
  Millis,
  Pool,
  Serving,
  SlotId,
  Slot,
  Starting,
  WorkerId,
} from '../core/model.js';
import { healthOf, recentRestarts, servedCount, type Health } from '../core/health.js';
import { NO_FIGURES, type WorkerFigures } from './figures.js';
import { whyText } from './why.js';
import { exitText, oneLine } from './wording.js';
import type { ProcessEnd } from '../registry.js';
import type { Process } from '../processes/workers.js';

export type WorkerState =
  'starting' | 'ready' | 'hung' | 'draining' | 'backoff' | 'stopped' | 'errored' | 'vacant';

/** How the worker that last sat in a slot ended; `reason` is the sentence for people. */
export interface LastExit {
  readonly pid: number | null;
  readonly code: number | null;
  readonly signal: string | null;
  /** In one line. */
  readonly reason: string;
  /** What the worker itself has said about it, in one line; `null` if it said nothing, or does not know our messages. */
  readonly error: string | null;
  /** When, in ms since the epoch; `null` while the process still drains. */
  readonly at: number | null;
  /** How long the process had run; `null` if it was never forked, or still drains. */
  readonly uptime: number | null;
}

/** One row: a worker, or a slot that has none. Times in ms, memory in bytes, CPU in percent of one core. */
export interface WorkerStatus extends WorkerFigures {
  readonly slot: SlotId;
  readonly pid: number | null;
  readonly generation: number;
  readonly state: WorkerState;
  /** How long its event loop has been blocked; `null` unless it is hung. */
  readonly hungFor: number | null;
  /** When the slot gets its next worker; `null` unless it is in backoff. */
  readonly nextTryIn: number | null;
  readonly uptime: number | null;
  readonly restarts: number;
  readonly lastExit: LastExit | null;
  /** The last ten, the newest first: without an order, or replaced for its memory. */
  readonly exits: readonly LastExit[];
  readonly memory: number | null;
  readonly cpu: number | null;
}

export interface ReloadOutcome {
  /** When it ended, in ms since the epoch. */
  readonly at: number;
  readonly ok: boolean;
  /** Why it was aborted; `null` if it was not. */
  readonly reason: string | null;
  /** What follows from that, and what to do about it; `null` if nothing does. */
  readonly advice: string | null;
}

/** The service and its workers. */
export interface ServiceStatus {
  readonly generation: number;
  readonly state: Health;
  readonly wanted: number;
  /** How many slots are served. */
  readonly served: number;
  /** How many workers were forked within the last minute to replace one that had exited. */
  readonly restartsLastMinute: number;
  /** A sentence for each slot that is not in order, or was restarted within the last minute. */
  readonly why: readonly string[];
  readonly workers: readonly WorkerStatus[];
  readonly lastReload: ReloadOutcome | null;
}

export interface Status extends ServiceStatus {
  readonly app: string;
  /** Absolute path of the app file with which the supervisor was started. */
  readonly file: string;
  /** The environment of the app file in which the service runs: `production` for `env_production`. */
  readonly env: string | null;
  readonly supervisor: {
    readonly pid: number;
    readonly uptime: number;
    readonly version: string;
    readonly node: string;
  };
}

/** What the shell knows and the core does not. */
export interface Facts {
  /** On the clock of the core. */
  readonly now: Millis;
  process(worker: WorkerId): Process | undefined;
  /** The pid of a worker, also after its exit. */
  pidOf(worker: WorkerId): number | undefined;
  endOf(worker: WorkerId): ProcessEnd | undefined;
  usageOf(worker: Process): { readonly memory: number; readonly cpu: number } | undefined;
}

export function describeService(pool: Pool, facts: Facts, lastReload: ReloadOutcome | null): ServiceStatus {
  const slots = pool.slots.map((slot, id) => {
    const rows = slotRows(slot, id, historyOf(slot, pool), facts);
    return { rows, why: whyText(pool, slot, id, rows) };
  });
  const draining = pool.draining.map(worker => row(worker.slot, worker, 'draining', NO_HISTORY, facts));
  return {
    generation: pool.generation,
    state: healthOf(pool),
    wanted: pool.wanted,
    served: servedCount(pool),
    restartsLastMinute: recentRestarts(pool),
    why: slots.flatMap(({ why }) => why ?? []),
    workers: [...slots.flatMap(({ rows }) => rows), ...draining],
    lastReload,
  };
}

/** A worker that drains on its own has announced its exit code: the exit is reported once it has happened. */
function historyOf({ history }: Slot, { draining }: Pool): History {
  const isToCome = ({ code, worker }: Exit): boolean =>
    code !== null && draining.some(({ id }) => id === worker);
  return { ...history, exits: history.exits.filter(exit => !isToCome(exit)) };
}

const NO_HISTORY = { restarts: 0, exits: [] };

function slotRows(slot: Slot, id: SlotId, history: History, facts: Facts): WorkerStatus[] {
  const rowOf = (worker: Starting | Serving): WorkerStatus => {
    if (worker.at === 'starting') return row(id, worker, 'starting', history, facts);
    const ready = row(id, worker, 'ready', history, facts);
    const { unresponsive } = worker;
    return unresponsive?.isHung === true
      ? { ...ready, state: 'hung', hungFor: Math.round(facts.now - unresponsive.since) }
      : ready;
  };
  switch (slot.at) {
    case 'starting':
    case 'ready':
      return [rowOf(slot.worker)];
    case 'replacing':
      return [rowOf(slot.worker), rowOf(slot.successor)];
    case 'backoff': {
      const nextTryIn = Math.max(0, Math.ceil(slot.until - facts.now));
      return [{ ...row(id, undefined, slot.at, history, facts), nextTryIn }];
    }
    default:
      return [row(id, undefined, slot.at, history, facts)];
  }
}

function row(
  slot: SlotId,
  worker: { readonly id: WorkerId; readonly generation: number } | undefined,
  state: WorkerState,
  history: { readonly restarts: number; readonly exits: readonly Exit[]; readonly generation?: number },
  facts: Facts,
): WorkerStatus {
  const running = worker && facts.process(worker.id);
  const usage = running && facts.usageOf(running);
  const exits = history.exits.map(exit => describeExit(exit, facts));
  return {
    slot,
    pid: running?.pid ?? null,
    generation: worker?.generation ?? history.generation ?? 0,
    state,
    hungFor: null,
    nextTryIn: null,
    uptime: running === undefined ? null : Math.round(performance.now() - running.forkedAt),
    restarts: history.restarts,
    lastExit: exits[0] ?? null,
    exits,
    memory: usage?.memory ?? null,
    cpu: usage?.cpu ?? null,
    ...NO_FIGURES,
  };
}

function describeExit(exit: Exit, facts: Facts): LastExit {
  const { worker, code, signal } = exit;
  const { at = null, uptime = null } = facts.endOf(worker) ?? {};
  const reason = oneLine(exitText(exit));
  const error = exit.cause === undefined ? null : reportedError(exit.cause);
  return { pid: facts.pidOf(worker) ?? null, code, signal, reason, error, at, uptime };
}

function reportedError(cause: ExitCause): string | null {
  if (cause.type === 'boot-failed') return oneLine(cause.message);
  return cause.type === 'drained' ? oneLine(cause.reason) : null;
}
