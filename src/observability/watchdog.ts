/**
 * Decides whether a main loop is blocked. Pure: the observer thread (`thread.ts`) looks at the loop from time to time
 * and says here what it saw.
 *
 * Time counts against the loop only where the loop could have used it. A look that comes late counts nothing: what kept
 * the thread from looking (SIGSTOP, a suspended virtual machine, a machine without a free CPU) has kept the main loop as
 * well. Time in which the main thread waited for a CPU is taken off, too. The wall clock plays no part.
 */

/** A loop that has not turned for so long is reported. */
export const BLOCKED_MS = 1_000;

/** Interval of the looks at a loop that turns: an idle worker wakes up twice in it, once for each of its threads. */
const IDLE_LOOK_MS = 1_500;

/** The same while there are requests: a blocked loop is then noticed sooner. */
const BUSY_LOOK_MS = 250;

/** The same while the loop does not turn. */
const BLOCKED_LOOK_MS = 100;

/** A look that comes later than this counts nothing. */
const LATE_MS = 100;

export interface Look {
  /** Since the look before, in ms on a monotonic clock. */
  readonly elapsedMs: number;
  /** How much of it the main thread was ready to run and had no CPU, in ms. */
  readonly waitedMs: number;
  /** The loop has turned since the look before. */
  readonly hasTurned: boolean;
  /** There are requests, or have been since the look before. */
  readonly isBusy: boolean;
}

export type Finding =
  | { readonly type: 'turns' }
  /** It was reported as blocked, and turns again. */
  | { readonly type: 'recovered'; readonly blockedMs: number }
  /** Blocked for too short a time to be reported, or reported already. */
  | { readonly type: 'waiting' }
  /** Blocked for {@link BLOCKED_MS}; found once. */
  | { readonly type: 'blocked'; readonly blockedMs: number }
  /** Blocked up to the limit. */
  | { readonly type: 'hung'; readonly blockedMs: number };

export interface Rules {
  /** How long a loop that is blocked for so long by now may be blocked altogether, in ms. */
  limitMs(blockedMs: number): number;
  /** Whether the loop is blocked for a reason that is no fault; it is asked before anything is reported. */
  isExcused(): boolean;
}

export interface Watchdog {
  /** Milliseconds until the next look is due. */
  readonly nextLookMs: number;
  /** It polls rarely, and wants a signal when new work arrives. */
  readonly isResting: boolean;
  /** How long the loop has been blocked, in ms. */
  readonly blockedMs: number;
  look(look: Look): Finding;
}

export function createWatchdog({ limitMs, isExcused }: Rules): Watchdog {
  let nextLookMs = BUSY_LOOK_MS;
  let blockedMs = 0;
  let looks = 0;
  let isReported = false;

  function turned(isBusy: boolean): Finding {
    const finding: Finding = isReported ? { type: 'recovered', blockedMs } : { type: 'turns' };
    nextLookMs = isBusy ? BUSY_LOOK_MS : IDLE_LOOK_MS;
    blockedMs = 0;
    looks = 0;
    isReported = false;
    return finding;
  }

  return {
    get nextLookMs() {
      return nextLookMs;
    },
    get blockedMs() {
      return blockedMs;
    },
    get isResting() {
      return nextLookMs === IDLE_LOOK_MS;
    },
    look({ elapsedMs, waitedMs, hasTurned, isBusy }) {
      if (hasTurned) return turned(isBusy);
      if (elapsedMs - nextLookMs <= LATE_MS) blockedMs += Math.max(0, elapsedMs - waitedMs);
      nextLookMs = BLOCKED_LOOK_MS;
      looks++;
      // One look is not enough: both threads may have been woken at the same moment.
      if (looks === 1) return { type: 'waiting' };
      const isOver = blockedMs >= limitMs(blockedMs);
      if (!isOver && (isReported || blockedMs < BLOCKED_MS)) return { type: 'waiting' };
      if (isExcused()) {
        blockedMs = 0;
        return { type: 'waiting' };
      }
      if (isOver) return { type: 'hung', blockedMs };
      isReported = true;
      return { type: 'blocked', blockedMs };
    },
  };
}
