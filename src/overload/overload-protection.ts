/**
 * Keeps an overloaded worker useful: it handles as many requests as it can in time, and refuses the others at once.
 *
 * Requests wait in a queue of our own (`turns.ts`), where it is known how many there are and for how long. Nothing here
 * wakes an idle worker: a window ends with the first request after its time.
 */
import { createHistogram } from 'node:perf_hooks';
import type { RequestHandler, Response } from 'express';
import { isOverloaded, nextLimit, NO_LIMIT } from './limiter.js';
import type { Turns } from './turns.js';

/** How long is measured until the limit moves. */
const WINDOW_MS = 250;

/** A request that has waited for so long is refused, too: the limit may be too high when overload begins. */
export const MAX_WAIT_MS = 750;

/** What is older waits for something else than the event loop: long polling, a stream. It does not count. */
const LONG_REQUEST_MS = 5_000;

export interface OverloadNeeds {
  readonly turns: Turns;
  /** Answers a request that is not handled. */
  refuse(...exchange: Parameters<RequestHandler>): void;
  /** A window was overloaded. */
  onOverload(limit: number, delayP99Ms: number): void;
}

export function protectFromOverload({ turns, refuse, onOverload }: OverloadNeeds): RequestHandler {
  const load = measureLoad(onOverload);
  return (request, response, next) => {
    const arrivedAt = performance.now();
    turns.noteArrival();
    if (!load.admits(arrivedAt)) return refuse(request, response, next);
    load.begin(response, arrivedAt);
    response.on('close', () => load.end(response));
    turns.run(() => {
      const now = performance.now();
      const waitedMs = now - arrivedAt;
      load.started(waitedMs, now);
      if (waitedMs > MAX_WAIT_MS) return refuse(request, response, next);
      // The client may have gone meanwhile.
      if (!response.closed) next();
    });
  };
}

interface Load {
  admits(now: number): boolean;
  begin(response: Response, now: number): void;
  started(waitedMs: number, now: number): void;
  end(response: Response): void;
}

function measureLoad(onOverload: OverloadNeeds['onOverload']): Load {
  /** With their arrivals, the oldest first. */
  const inFlight = new Map<Response, number>();
  const delays = createHistogram();
  let limit = NO_LIMIT;
  let peak = 0;
  let windowAt = performance.now();
  let loop = performance.eventLoopUtilization();

  function endWindow(now: number): void {
    const { utilization } = performance.eventLoopUtilization(loop);
    const window = { utilization, delayP99Ms: delays.count === 0 ? 0 : delays.percentile(99), peak };
    limit = nextLimit(limit, window);
    if (isOverloaded(window)) onOverload(limit, window.delayP99Ms);
    for (const [response, arrivedAt] of inFlight) {
      if (now - arrivedAt < LONG_REQUEST_MS) break;
      inFlight.delete(response);
    }
    loop = performance.eventLoopUtilization();
    windowAt = now;
    peak = inFlight.size;
    delays.reset();
  }

  return {
    admits(now) {
      if (now - windowAt >= WINDOW_MS) endWindow(now);
      return inFlight.size < limit;
    },
    begin(response, now) {
      inFlight.set(response, now);
      peak = Math.max(peak, inFlight.size);
    },
    started(waitedMs, now) {
      // A histogram takes whole numbers from 1 on.
      delays.record(Math.max(1, Math.round(waitedMs)));
      if (now - windowAt >= WINDOW_MS) endWindow(now);
    },
    end: response => void inFlight.delete(response),
  };
}
