/** How the service is, in one word: for `status` and its exit code, and for the process title. */
import type { Pool, Serving, Slot, Starting } from './model.js';
import { workersOf } from './pool.js';

export type Health =
  /** No worker has been ready yet. */
  | 'starting'
  /** Every slot is served. */
  | 'ready'
  /** A reload is running. */
  | 'reloading'
  /** Some slot is not served, and nothing below explains it. */
  | 'degraded'
  /** Some worker is hung. */
  | 'hung'
  /** Workers exit again and again. */
  | 'crash-looping'
  /** No slot is served. */
  | 'down'
  /** The service ends. */
  | 'stopping';

/** So many recent restarts, of one slot or of all together, are a crash loop. */
const CRASH_LOOP = { slot: 3, service: 5 };

/** The worst that is true of the pool. */
export function healthOf(pool: Pool): Health {
  if (pool.verdict !== undefined) return 'stopping';
  const inOrder = pool.slots.filter(slot => isInOrder(pool, slot)).length;
  const isLooping = isCrashLooping(pool);
  if (inOrder === 0) return pool.everReady || isLooping ? 'down' : 'starting';
  if (isLooping) return 'crash-looping';
  if (pool.slots.flatMap(workersOf).some(isHung)) return 'hung';
  if (pool.reload !== undefined) return 'reloading';
  return inOrder === pool.wanted ? 'ready' : 'degraded';
}

/** How many slots are served. */
export const servedCount = ({ slots }: Pool): number => slots.filter(isServed).length;

/** How many workers were forked within the last minute to replace one that had exited. */
export const recentRestarts = ({ slots }: Pick<Pool, 'slots'>): number =>
  slots.reduce((sum, { history }) => sum + history.restartedAt.length, 0);

/** Between its runs a job has no worker, and while it runs it need not listen. */
export function isInOrder({ policy }: Pool, slot: Slot): boolean {
  if (isServed(slot)) return true;
  return policy.isJob && (slot.at === 'starting' || (slot.at === 'stopped' && slot.exit.code === 0));
}

const isServed = (slot: Slot): boolean =>
  workersOf(slot).some(worker => worker.at === 'serving' && !isHung(worker));

const isHung = (worker: Starting | Serving): boolean =>
  worker.at === 'serving' && worker.unresponsive?.isHung === true;

/** A slot that has been given up, or stopped, loops no more. */
function isCrashLooping(pool: Pool): boolean {
  const slots = pool.slots.filter(({ at }) => at !== 'errored' && at !== 'stopped');
  const isLooping = ({ history }: Slot): boolean => history.restartedAt.length >= CRASH_LOOP.slot;
  return slots.some(isLooping) || recentRestarts({ slots }) >= CRASH_LOOP.service;
}
