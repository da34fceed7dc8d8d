/**
 * Limits and defaults that more than one part of the service goes by. `ecosystem.config.js` takes them from the build of
 * this file, so it imports nothing.
 */

/** Workers of one service, at most; at least 1. */
export const MAX_WORKERS = 1_024;

/** Records for heartbeats: one for each worker, with room for those that drain while their successors serve. */
export const MAX_HEARTBEAT_RECORDS = 4_096;

/** Longest reason that is kept of a worker's exit or fault, in characters. */
export const MAX_REASON_LENGTH = 300;

/** Longest delay of a timer in Node, in milliseconds; a longer one would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** While a worker drains, an idle connection may still send one more request for so long. */
export const IDLE_GRACE_MS = 1_000;

/** What holds for a variable of the environment that is not set. */
export const DEFAULTS = {
  port: 3_001,
  drainDelayMs: 0,
  drainTimeoutMs: 8_000,
  closeTimeoutMs: 2_000,
  keepAliveTimeoutMs: 65_000,
} as const;

/** A worker that has not ended so long after its own deadline is killed. */
export const KILL_MARGIN_MS = 1_000;

/** Longest path of a Unix socket that every system takes, in bytes; Node 20 cuts longer ones silently. */
export const MAX_SOCKET_PATH = 100;
