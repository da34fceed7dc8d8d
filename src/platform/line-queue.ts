/** Lines that wait for an output that is full, and the number of those that found no room. */

/** Bytes that may wait for the reader. */
const MAX_QUEUED_BYTES = 8 * 1024 * 1024;

/** Delays before a full output is tried again, in ms: doubled each time, from the first to the last. */
const RETRY_MS = { first: 1, last: 32 } as const;

/** How long a process that ends waits for a full output, in ms. */
const LAST_WORDS_MS = 500;

/** The pause between two tries of a process that ends, in ms. */
const NAP_MS = 2;

/** Lines that are written together. */
export interface Piece {
  readonly bytes: Buffer;
  readonly lines: number;
  /** Its begin is written already. */
  readonly isBegun: boolean;
}

/** The errors of a reader that went away: a closed pipe, a terminal that is gone. */
export const READER_GONE: ReadonlySet<string | undefined> = new Set(['EPIPE', 'EIO']);

const TOO_SLOW = 'the reader of standard output was too slow';

/** Lines that are lost, until their number is reported. */
export interface Losses {
  add(piece: Piece, reason: string): void;
  /** How many are lost and not reported yet. */
  count(): number;
  /** Since the start. */
  total(): number;
  report(): void;
}

export function createLosses(report: (count: number, reason: string) => void): Losses {
  let [lost, total, reason] = [0, 0, ''];
  return {
    add({ lines }, why) {
      lost += lines;
      total += lines;
      reason = why;
    },
    count: () => lost,
    total: () => total,
    report() {
      const count = lost;
      lost = 0;
      report(count, reason);
    },
  };
}

export interface QueueNeeds {
  /** @returns how many bytes the output has taken @throws Error with a code, EAGAIN if it is full */
  send(bytes: Buffer): number;
  failed(error: NodeJS.ErrnoException): void;
  readonly losses: Losses;
}

export interface Queue {
  put(piece: Piece): void;
  /**
   * Waits for the output, {@link LAST_WORDS_MS} at most and no second time while it takes nothing.
   * @returns how many lines its reader has left waiting, or kept from being queued
   */
  flushSync(): number;
}

/** What the output has not taken yet, in order and of bounded size; it is tried again after growing delays. */
export function createQueue({ send, failed, losses }: QueueNeeds): Queue {
  const backlog = createBacklog();
  const retries = createRetries(drain);
  let patienceMs = LAST_WORDS_MS;

  /** A busy loop that writes gives no timer a chance. */
  function put(piece: Piece): void {
    if (backlog.first() !== undefined && retries.isDue()) drain();
    const rest = backlog.first() === undefined ? deliver(piece) : piece;
    if (rest === undefined) return;
    if (!rest.isBegun && !backlog.hasRoomFor(rest)) return losses.add(rest, TOO_SLOW);
    backlog.add(rest);
    retries.later();
  }

  /** @returns what the output has not taken */
  function deliver(piece: Piece): Piece | undefined {
    const { bytes } = piece;
    try {
      const written = send(bytes);
      retries.reset();
      patienceMs = LAST_WORDS_MS;
      if (written < bytes.length) return { ...piece, bytes: bytes.subarray(written), isBegun: true };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') return piece;
      failed(error as NodeJS.ErrnoException);
      // The rest of a line that is half written comes before anything else.
      if (piece.isBegun && !READER_GONE.has(code)) return piece;
      losses.add(piece, message);
      return undefined;
    }
    // Not now: the report is a line itself.
    if (losses.count() > 0)
      setImmediate(() => {
        if (losses.count() > 0 && backlog.reopen()) losses.report();
      });
    return undefined;
  }

  /** @returns whether anything still waits */
  function drain(): boolean {
    retries.tried();
    for (let piece = backlog.first(); piece !== undefined; piece = backlog.first()) {
      const rest = deliver(piece);
      backlog.replaceFirst(rest);
      if (rest !== undefined) return true;
    }
    return false;
  }

  return {
    put,
    flushSync() {
      if (!drain() || drainWithin(patienceMs, drain)) return 0;
      patienceMs = 0;
      return backlog.lines() + (backlog.isFull() ? losses.count() : 0);
    },
  };
}

/** Blocks this process. @returns whether nothing waits any more */
function drainWithin(ms: number, drain: () => boolean): boolean {
  const deadline = performance.now() + ms;
  while (performance.now() < deadline) {
    Atomics.wait(NAP, 0, 0, NAP_MS);
    if (!drain()) return true;
  }
  return false;
}

/** It never changes: waiting for it is a pause. */
const NAP = new Int32Array(new SharedArrayBuffer(4));

interface Backlog {
  first(): Piece | undefined;
  /** Once there is no room, there is none for all that comes, until {@link reopen}. */
  hasRoomFor(piece: Piece): boolean;
  add(piece: Piece): void;
  replaceFirst(rest: Piece | undefined): void;
  isFull(): boolean;
  /** @returns whether there is room again, also for a report of what was lost */
  reopen(): boolean;
  lines(): number;
}

function createBacklog(): Backlog {
  const pieces: Piece[] = [];
  let waiting = 0;
  let isFull = false;
  return {
    first: () => pieces[0],
    hasRoomFor({ bytes }) {
      isFull ||= waiting + bytes.length > MAX_QUEUED_BYTES;
      return !isFull;
    },
    add(piece) {
      // What a piece is made in is used for the next one.
      pieces.push({ ...piece, bytes: Buffer.from(piece.bytes) });
      waiting += piece.bytes.length;
    },
    replaceFirst(rest) {
      const [first] = pieces.splice(0, 1, ...(rest === undefined ? [] : [rest]));
      waiting -= (first?.bytes.length ?? 0) - (rest?.bytes.length ?? 0);
    },
    isFull: () => isFull,
    reopen() {
      if (waiting > MAX_QUEUED_BYTES / 2) return false;
      isFull = false;
      return true;
    },
    lines: () => pieces.reduce((sum, piece) => sum + piece.lines, 0),
  };
}

interface Retries {
  later(): void;
  /** Whether the delay since the last try is over, also where the loop is too busy for a timer. */
  isDue(): boolean;
  tried(): void;
  /** The output takes lines: the delays begin anew. */
  reset(): void;
}

/** @param retry tries again, and returns whether another try is needed */
function createRetries(retry: () => boolean): Retries {
  let delayMs: number = RETRY_MS.first;
  let triedAt = 0;
  let timer: NodeJS.Timeout | undefined;

  function later(): void {
    if (timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      if (retry()) later();
    }, delayMs);
    delayMs = Math.min(delayMs * 2, RETRY_MS.last);
  }

  return {
    later,
    isDue: () => performance.now() - triedAt >= delayMs,
    tried: () => void (triedAt = performance.now()),
    reset: () => void (delayMs = RETRY_MS.first),
  };
}
