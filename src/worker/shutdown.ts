/**
 * A worker on its way out: it serves on for a while, stops accepting, drains, runs its close hooks and says farewell.
 * Its times are bounded whatever clients, hooks and handlers do.
 */
import cluster from 'node:cluster';
import { IDLE_GRACE_MS } from '../protocol/limits.js';
import type { Logger } from '../utils/logger.js';
import type { Drainable } from './drain.js';
import type { Listening } from './listen.js';

/** How long the cluster's primary may take to confirm that it holds no connection of ours any more. */
const FAREWELL_MS = 1_000;

/** Something to be closed when all requests are answered: a pool, a queue. It may take until the deadline. */
export type CloseHook = (deadline: AbortSignal) => Promise<void>;

export interface ShutdownNeeds {
  readonly connections: Drainable;
  readonly listening: Listening;
  readonly closeHooks: readonly CloseHook[];
  readonly logger: Logger;
  /** How long everything is still served as before. */
  readonly delayMs: number;
  /** From then on: how long requests in flight and hooks may take together. */
  readonly timeoutMs: number;
}

export interface Shutdown {
  /** Resolves when nothing is left to do but to exit, with whether all went well: nothing cut, no hook failed. */
  readonly done: Promise<boolean>;
  /** No delay any more, and so many milliseconds at most: the process is not to be trusted any longer. */
  hurry(timeoutMs: number): void;
}

export function startShutdown(needs: ShutdownNeeds): Shutdown {
  const { connections, listening, closeHooks, logger, delayMs } = needs;
  const deadline = new AbortController();
  let { timeoutMs } = needs;
  let latest = Infinity;
  let timer: NodeJS.Timeout | undefined;
  let endDelay = (): void => undefined;

  function setDeadline(): void {
    latest = Math.min(latest, performance.now() + timeoutMs);
    clearTimeout(timer);
    timer = setTimeout(() => deadline.abort(), latest - performance.now());
  }

  async function leave(): Promise<boolean> {
    if (delayMs > 0) await delay();
    setDeadline();
    listening.stop();
    const cuts = await connections.drain({ idleGraceMs: Math.min(IDLE_GRACE_MS, timeoutMs), timeoutMs });
    for (const { method, url } of cuts) logger.error(`Cut at the drain deadline: ${method} ${url}`);
    const closed = await close(closeHooks, deadline.signal, logger);
    clearTimeout(timer);
    await sayFarewell();
    return closed && cuts.length === 0;
  }

  const delay = (): Promise<void> =>
    new Promise(resolve => {
      endDelay = resolve;
      setTimeout(resolve, delayMs);
    });

  return {
    done: leave(),
    hurry(ms) {
      timeoutMs = Math.min(timeoutMs, ms);
      connections.hurry(timeoutMs);
      if (timer !== undefined) setDeadline();
      endDelay();
    },
  };
}

/** Runs the hooks side by side. @returns whether all were done at the deadline, and none failed */
async function close(hooks: readonly CloseHook[], deadline: AbortSignal, logger: Logger): Promise<boolean> {
  const results = await Promise.allSettled(
    hooks.map(async hook => Promise.race([hook(deadline), overdue(deadline)])),
  );
  const failures = results.filter(result => result.status === 'rejected');
  for (const { reason } of failures) logger.error({ err: reason as unknown }, 'A close hook failed');
  return failures.length === 0;
}

/** Rejects at the deadline, which may have passed already. */
function overdue(deadline: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(new Error('not done at the drain deadline'));
    if (deadline.aborted) fail();
    else deadline.addEventListener('abort', fail, { once: true });
  });
}

/**
 * node:cluster's round robin may just have handed a connection to us: the primary confirms that it has not, or
 * gives it to somebody else. Without this its client would hang.
 */
async function sayFarewell(): Promise<void> {
  const { worker } = cluster;
  if (worker === undefined || !worker.isConnected()) return;
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, FAREWELL_MS);
    process.once('disconnect', () => {
      clearTimeout(timer);
      resolve();
    });
    worker.disconnect();
  });
}
