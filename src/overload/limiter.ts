/**
 * How many requests a worker may have in flight. Pure: `overload-protection.ts` measures and asks here.
 *
 * The limit moves as TCP's congestion window does (additive increase, multiplicative decrease; RFC 5681). Without
 * overload there is none. An overloaded window cuts it below what was in flight; then it grows by one for each window
 * without overload, and doubles while the event loop has time to spare, as in TCP's slow start.
 */

/** Higher than any number of requests that a process can have open. */
export const NO_LIMIT = 65_536;

/** One request is handled, and one waits: so the loop is never idle in overload. */
export const MIN_LIMIT = 2;

/** Requests may wait so long for the event loop, in ms. */
export const TARGET_DELAY_MS = 500;

/** From this utilisation on the loop is busy; a delay then comes from load, and not from a single slow request. */
export const BUSY = 0.95;

/** Below this utilisation the loop has time to spare. */
export const SPARE = 0.8;

const DECREASE = 0.7;

/** What was measured in a stretch of time. */
export interface LoadWindow {
  /** Share of the time in which the event loop was busy, from 0 to 1. */
  readonly utilization: number;
  /** From the arrival of a request until the loop got to its handler: 99th percentile, in ms. */
  readonly delayP99Ms: number;
  /** Most requests in flight. */
  readonly peak: number;
}

export const isOverloaded = ({ utilization, delayP99Ms }: LoadWindow): boolean =>
  utilization >= BUSY && delayP99Ms > TARGET_DELAY_MS;

/** The limit for the next window. */
export function nextLimit(limit: number, window: LoadWindow): number {
  if (isOverloaded(window)) return Math.max(MIN_LIMIT, Math.floor(Math.min(limit, window.peak) * DECREASE));
  return Math.min(NO_LIMIT, window.utilization < SPARE ? limit * 2 : limit + 1);
}
