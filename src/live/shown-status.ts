/** The status of a service as it is shown, whichever supervisor runs it, and of whichever version that is. */
import { NO_FIGURES } from '../supervisor/report/figures.js';
import type { Status, WorkerStatus } from '../supervisor/report/status.js';

/** A worker as it is shown; PM2 tells less than our own supervisor. */
export type ShownWorker = Omit<WorkerStatus, 'generation' | 'restarts'> & {
  readonly generation: number | null;
  readonly restarts: number | null;
};

/** The native supervisor's status, or that of a service under PM2; `null` is what PM2's workers do not know. */
export type ShownStatus = Omit<
  Status,
  'file' | 'supervisor' | 'generation' | 'restartsLastMinute' | 'workers'
> & {
  readonly supervisor: Omit<Status['supervisor'], 'uptime'> & {
    readonly type?: 'pm2';
    readonly uptime: number | null;
  };
  readonly file: string | null;
  readonly generation: number | null;
  readonly restartsLastMinute: number | null;
  readonly workers: readonly ShownWorker[];
};

/** The supervisor may be of an older version than this command, and tell less. */
export function completed(found: Partial<ShownStatus>): ShownStatus {
  const workers = (found.workers ?? []).map(worker => ({
    ...NOTHING_MORE,
    ...worker,
    lastExit: worker.lastExit && { ...NO_TIMES, ...worker.lastExit },
  }));
  const served = new Set(workers.filter(({ state }) => state === 'ready').map(({ slot }) => slot)).size;
  const lastReload = found.lastReload && { ...NO_ADVICE, ...found.lastReload };
  return { served, env: null, restartsLastMinute: 0, why: [], ...found, workers, lastReload } as ShownStatus;
}

const NOTHING_MORE = { hungFor: null, nextTryIn: null, exits: [], ...NO_FIGURES };

const NO_ADVICE = { advice: null };

const NO_TIMES = { error: null, at: null, uptime: null };
