/** How long to wait before the next fork, and when to stop trying: pure values, no clock, no randomness. */
import type { Exit, History, Millis, Policy } from './model.js';

/** PM2's ceiling of the exponential series (God.js:518-530). */
const CEILING_MS = 15_000;

/** Forks that the operating system refuses (EAGAIN, ENOENT of a missing cwd) are tried again at this pace. */
const FORK_FAILURE_FIRST_MS = 100;

/** What happens to a slot whose worker has exited without an order. */
export type RestartDecision =
  | { readonly at: 'backoff'; readonly delay: Millis }
  | { readonly at: 'stopped' }
  | { readonly at: 'errored' };

/**
 * PM2's series: the first failure waits `first`, each further one half as much again, rounded down, and at most
 * {@link CEILING_MS}: 100, 150, 225, 337, 505, …
 */
export function exponentialDelay(first: Millis, failures: number): Millis {
  let delay = first;
  for (let n = 1; n < failures; n++) {
    const longer = Math.floor(Math.min(CEILING_MS, delay * 1.5));
    if (longer === delay) break;
    delay = longer;
  }
  return delay;
}

/** The delay before the next fork after `unstable` consecutive unstable exits; a stable life costs nothing. */
export function restartDelay(policy: Policy, unstable: number): Millis {
  if (unstable === 0) return 0;
  if (policy.expBackoffRestartDelayMs > 0) return exponentialDelay(policy.expBackoffRestartDelayMs, unstable);
  return policy.restartDelayMs;
}

export function forkFailureDelay(forkFailures: number): Millis {
  return exponentialDelay(FORK_FAILURE_FIRST_MS, forkFailures);
}

/**
 * Whether the slot's next worker would be one too many. With a backoff the service keeps trying, as under PM2,
 * but only if some worker was once ready: a build that never worked is given up.
 */
function exhausted(policy: Policy, unstable: number, everReady: boolean): boolean {
  const keepsTrying = policy.expBackoffRestartDelayMs > 0 && everReady;
  return unstable >= policy.maxRestarts && !keepsTrying;
}

/** What becomes of a slot after `exit`; `history` already counts it. A signal death matches no exit code. */
export function decideRestart(
  policy: Policy,
  exit: Exit,
  history: History,
  everReady: boolean,
): RestartDecision {
  if (!policy.autorestart) return { at: 'stopped' };
  if (exit.code !== null && policy.stopExitCodes.includes(exit.code)) return { at: 'stopped' };
  if (exhausted(policy, history.unstable, everReady)) return { at: 'errored' };
  return { at: 'backoff', delay: restartDelay(policy, history.unstable) };
}
