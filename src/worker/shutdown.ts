/**
 * A worker on its way out: it serves on for a while, stops accepting, drains, closes its resources and says farewell.
 * Its times are bounded for any clients, hooks and handlers.
 */
import cluster from 'node:cluster';
import { closeAll, type CloseHook } from '../features/resources.js';
import { IDLE_GRACE_MS } from '../protocol/limits.js';
import type { Logger } from '../utils/logger.js';
import type { Drainable } from './drain.js';
import type { Listening } from './listen.js';

/** How long the cluster's primary may take to confirm that it holds no connection of ours any more. */
const FAREWELL_MS = 1_000;

export interface ShutdownNeeds {
  readonly connections: Drainable;
  readonly listening: Listening;
  /** Called when the drain begins, so that long answers can end. */
  readonly onDrain: () => void;
  /** What is to be closed when all requests are answered, in this order. */
  readonly closeHooks: readonly CloseHook[];
  readonly logger: Logger;
  /** How long everything is still served as before. */
  readonly delayMs: number;
  /** From then on: how long requests in flight may take. */
  readonly timeoutMs: number;
  /** From then on: how long the close hooks may take together. */
  readonly closeTimeoutMs: number;
}

export interface Shutdown {
  /** Resolves when nothing is left to do but to exit, with whether all went well: nothing cut, everything closed. */
  readonly done: Promise<boolean>;
  /** No delay any more, and so many milliseconds at most: the process is not to be trusted any longer. */
  hurry(timeoutMs: number): void;
}

export function startShutdown(needs: ShutdownNeeds): Shutdown {
  const { connections, listening, onDrain, closeHooks, logger, delayMs } = needs;
  let { timeoutMs, closeTimeoutMs } = needs;
  let endDelay = (): void => undefined;

  async function leave(): Promise<boolean> {
    if (delayMs > 0) await delay();
    listening.stop();
    const drained = connections.drain({ idleGraceMs: Math.min(IDLE_GRACE_MS, timeoutMs), timeoutMs });
    // Now, and not before: an answer that has not begun says `Connection: close`.
    onDrain();
    const cuts = await drained;
    for (const { method, url, requestId } of cuts)
      logger.error({ requestId }, `Cut at the drain deadline: ${method} ${url}`);
    const isClosed = await closeAll(closeHooks, closeTimeoutMs, logger);
    await sayFarewell();
    return isClosed && cuts.length === 0;
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
      closeTimeoutMs = Math.min(closeTimeoutMs, ms);
      connections.hurry(timeoutMs);
      endDelay();
    },
  };
}

/**
 * node:cluster's round robin may just have handed a connection to us: the primary confirms that it has not, or
 * reuses it. Without this its client would hang.
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
