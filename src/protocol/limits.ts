/** Limits that several parts of the service must agree on. */

/** Workers of one service, at most; at least 1. */
export const MAX_WORKERS = 1_024;

/** Records for heartbeats: one for each worker, with room for those that drain while their successors serve. */
export const MAX_HEARTBEAT_RECORDS = 4_096;

/** Longest delay of a Node timer, in ms; a longer one would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long an idle connection of a draining worker may still send one more request, in ms. */
export const LAME_DUCK_MS = 1_000;
