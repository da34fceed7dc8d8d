/**
 * What the main thread of a worker leaves in shared memory for its observer thread, which reads it without any help:
 * the loop's sign of life, and the requests in flight.
 */

/** So many requests are named; more are only counted. */
const MAX_NAMED = 128;

/** One request: when it began, the length of its text, its text. */
const ENTRY_BYTES = 256;
const LENGTH_AT = 8;
const TEXT_AT = 10;
const MAX_TEXT = ENTRY_BYTES - TEXT_AT;

/** Positions in the header, which is made of 32-bit numbers. */
const ANSWERED = 0;
const HAS_DEBUGGER = 1;
const IN_FLIGHT = 2;
const STARTED = 3;
/** 1 while the thread looks seldom, and wants to know of the next request. */
const IS_RESTING = 4;
const HEADER_BYTES = 64;

/** A request that is being answered. */
export interface RequestInFlight {
  readonly id: string;
  readonly method: string;
  /** Without its query, which may hold credentials. */
  readonly path: string;
  /** By the main thread's `performance.now()`. */
  readonly startedAt: number;
}

/** The main thread's side of the requests in flight. */
export interface InFlight {
  /** @returns what to give to {@link end} */
  begin(id: string, method: string, url: string, startedAt: number): number;
  end(place: number): void;
}

export const createSharedState = (): SharedArrayBuffer =>
  new SharedArrayBuffer(HEADER_BYTES + MAX_NAMED * ENTRY_BYTES);

/**
 * Notes every request from its begin to its end.
 * @param wake called for the first request after a rest of the observer thread
 */
export function noteInFlight(memory: SharedArrayBuffer, wake: () => void): InFlight {
  const header = new Int32Array(memory, 0, HEADER_BYTES / 4);
  const times = new Float64Array(memory, HEADER_BYTES);
  const bytes = Buffer.from(memory, HEADER_BYTES);
  const free = Array.from({ length: MAX_NAMED }, (_, index) => MAX_NAMED - 1 - index);
  let inFlight = 0;
  let started = 0;

  return {
    begin(id, method, url, startedAt) {
      header[IN_FLIGHT] = ++inFlight;
      header[STARTED] = ++started | 0;
      if (header[IS_RESTING] === 1) {
        header[IS_RESTING] = 0;
        wake();
      }
      const place = free.pop();
      if (place === undefined) return -1;
      const at = place * ENTRY_BYTES;
      const query = url.indexOf('?');
      const text = `${id} ${method} ${query < 0 ? url : url.slice(0, query)}`;
      bytes[at + LENGTH_AT] = bytes.write(text, at + TEXT_AT, MAX_TEXT, 'latin1');
      times[at / 8] = startedAt;
      return place;
    },
    end(place) {
      header[IN_FLIGHT] = --inFlight;
      if (place < 0) return;
      times[(place * ENTRY_BYTES) / 8] = 0;
      free.push(place);
    },
  };
}

/** The main thread's sign of life. */
export function answerPing(memory: SharedArrayBuffer, ping: number, hasDebugger: boolean): void {
  const header = new Int32Array(memory, 0, HEADER_BYTES / 4);
  header[HAS_DEBUGGER] = hasDebugger ? 1 : 0;
  Atomics.store(header, ANSWERED, ping);
}

/** The observer thread's side. */
export interface SharedView {
  /** The last ping that the main loop has answered. */
  answered(): number;
  /** Whether a debugger could be attached when it did. */
  hasDebugger(): boolean;
  inFlight(): number;
  /** Requests since the start; wraps around. */
  started(): number;
  /** Whether the main thread is to call at the next request. */
  rest(isResting: boolean): void;
  /** The named ones, the oldest first. */
  requests(): RequestInFlight[];
}

export function viewSharedState(memory: SharedArrayBuffer): SharedView {
  const header = new Int32Array(memory, 0, HEADER_BYTES / 4);
  const times = new Float64Array(memory, HEADER_BYTES);
  const bytes = Buffer.from(memory, HEADER_BYTES);

  function requestAt(place: number): RequestInFlight[] {
    const at = place * ENTRY_BYTES;
    const startedAt = times[at / 8] ?? 0;
    if (startedAt === 0) return [];
    const text = bytes.toString('latin1', at + TEXT_AT, at + TEXT_AT + (bytes[at + LENGTH_AT] ?? 0));
    const [id = '', method = '', ...path] = text.split(' ');
    return [{ id, method, path: path.join(' '), startedAt }];
  }

  return {
    answered: () => Atomics.load(header, ANSWERED),
    hasDebugger: () => header[HAS_DEBUGGER] === 1,
    inFlight: () => header[IN_FLIGHT] ?? 0,
    started: () => header[STARTED] ?? 0,
    rest(isResting) {
      header[IS_RESTING] = isResting ? 1 : 0;
    },
    requests: () =>
      Array.from({ length: MAX_NAMED }, (_, place) => requestAt(place))
        .flat()
        .toSorted((one, other) => one.startedAt - other.startedAt),
  };
}
