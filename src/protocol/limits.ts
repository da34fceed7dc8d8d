/** Limits that more than one part of the service must agree on. */

/** Workers of one service, at most; at least 1. */
export const MAX_WORKERS = 1_024;

/** Milliseconds that a timer of Node can wait; a longer one would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** While draining, an idle connection may still send one more request for so long. */
export const LAME_DUCK_MS = 1_000;
