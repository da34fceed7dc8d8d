/**
 * How much a worker may send over its channel. Node reads and parses the channel inside the supervisor and has no limit
 * of its own: a message without an end fills the memory up to the longest string of V8 (512 MB), and a flood of small
 * ones leaves the supervisor no time for anything else.
 */
import { getHeapStatistics } from 'node:v8';

/** Messages a second that a worker may send for any length of time: a twentieth of the supervisor's time. */
export const MESSAGES_PER_SECOND = 20_000;

/** Messages that may come together, as after a suspension of the supervisor. */
export const MESSAGES_AT_ONCE = 50_000;

/** What an unfinished message may take, in bytes; where it passes for one, the heap has grown by as much. */
export const MAX_UNFINISHED_BYTES = 32 * 1024 * 1024;

/** A read brings so much at most. */
const READ_BYTES = 64 * 1024;

/** Reads without a message until the heap is looked at for the first time, and again: a look takes some µs. */
const READS_PER_LOOK = 16;

/** Counts what one worker sends. */
export interface ChannelMeter {
  /** A message has arrived. @returns false if they come too fast */
  countMessage(): boolean;
  /** The channel has been read. @returns false if a message has no end */
  countRead(): boolean;
}

/** Tests bring their own clock (in ms) and heap (in bytes). */
export function createChannelMeter(
  now: () => number = () => performance.now(),
  usedHeap: () => number = () => getHeapStatistics().used_heap_size,
): ChannelMeter {
  let allowance = MESSAGES_AT_ONCE;
  let countedAt = now();
  let reads = 0;
  /** The smallest heap since the last message. */
  let heapBefore = 0;

  return {
    countMessage() {
      reads = 0;
      const passedMs = now() - countedAt;
      countedAt += passedMs;
      allowance = Math.min(allowance + (passedMs * MESSAGES_PER_SECOND) / 1_000, MESSAGES_AT_ONCE) - 1;
      return allowance >= 0;
    },
    countRead() {
      reads++;
      if (reads % READS_PER_LOOK !== 0) return true;
      const heap = usedHeap();
      heapBefore = reads === READS_PER_LOOK ? heap : Math.min(heap, heapBefore);
      return Math.min(reads * READ_BYTES, heap - heapBefore) < MAX_UNFINISHED_BYTES;
    },
  };
}
