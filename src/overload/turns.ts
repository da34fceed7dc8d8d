/**
 * Runs the handlers of requests in slices, between which the loop reads what has arrived.
 *
 * Otherwise most requests of an overloaded worker wait where nothing sees them: a turn of the event loop accepts only one
 * connection for each listening socket (libuv since 1.45), and then runs its handler. All others, probes among them,
 * would wait in the kernel, uncounted.
 */
import { AsyncResource } from 'node:async_hooks';

/**
 * How long handlers run until the loop reads again, unless a single one takes longer, in ms. Then it reads for as long at
 * most: half of the time is left for handlers, whatever arrives.
 */
const SLICE_MS = 10;

export interface Turns {
  /** A connection or a request has arrived. */
  noteArrival(): void;
  /** Runs a task in its turn, in the order of the calls, and in the asynchronous context of the call. */
  run(task: () => void): void;
}

export function createTurns(): Turns {
  const waiting: (() => void)[] = [];
  let hasArrivals = false;
  let isScheduled = false;
  let sliceAt = -Infinity;
  let readingAt = 0;
  let readMs = SLICE_MS;

  function schedule(): void {
    isScheduled = true;
    setImmediate(turn);
  }

  function turn(): void {
    isScheduled = false;
    const now = performance.now();
    if (now - sliceAt >= SLICE_MS) {
      if (hasArrivals && now - readingAt < readMs) {
        hasArrivals = false;
        return schedule();
      }
      sliceAt = now;
    }
    runSlice();
  }

  function runSlice(): void {
    let isOver = false;
    try {
      while (waiting.length > 0 && !isOver) {
        waiting.shift()?.();
        isOver = performance.now() - sliceAt >= SLICE_MS;
      }
    } finally {
      readingAt = performance.now();
      readMs = Math.max(SLICE_MS, readingAt - sliceAt);
      hasArrivals = false;
      // Although no task may wait any more: after a slice the loop reads until there is nothing new.
      if (isOver || waiting.length > 0) schedule();
    }
  }

  return {
    noteArrival() {
      hasArrivals = true;
    },
    run(task) {
      waiting.push(AsyncResource.bind(task));
      if (isScheduled) return;
      readingAt = performance.now();
      schedule();
    },
  };
}
