/**
 * The IPC messages between the native supervisor and its workers, and their validation on both sides.
 *
 * `ready` and `shutdown` are PM2's words, which any app may use. All other messages are ours: their type begins with
 * `cabe:`, so that no message of an app's own is mistaken for one. What does not parse is ignored.
 */
import { PACES, type Pace } from './heartbeat-records.js';
import { MAX_HEARTBEAT_RECORDS, MAX_WORKERS } from './limits.js';

/** `1` in the environment of a worker whose supervisor hands out its listening socket on request. */
export const LISTENER_OFFER = 'CABE_LISTENER_OFFER';

/** Path of the supervisor's control socket, in the environment of its workers: their observer threads report there. */
export const CONTROL_SOCKET = 'CABE_CONTROL_SOCKET';

/** The number of its slot, in the environment of a worker. */
export const SLOT = 'CABE_SLOT';

/** The number of the service (`observability/service-folder.ts`), in the environment of its workers. */
export const SERVICE = 'CABE_SERVICE';

/** What a supervisor is given that replaces another (`supervisor/upgrade/handover.ts`). */
export const HANDOVER = 'CABE_HANDOVER';

/** `1` in the environment of the worker that the build starts once to fill the compile cache: it opens no resources. */
export const WARM_UP = 'CABE_WARM_UP';

/** What the native supervisor or the build sets for one process: from anywhere else these variables mean nothing. */
export const OWN_VARIABLES = [LISTENER_OFFER, CONTROL_SOCKET, SLOT, SERVICE, HANDOVER, WARM_UP];

/** Where a worker's observer thread reports on the control socket that it is about to kill its process. */
export const HUNG_PATH = '/hung';

/** What a worker sends. */
export type FromWorker =
  /** It serves (PM2's word for `wait_ready`). */
  | 'ready'
  /** It could not boot: the reason, and the code with which it is about to exit. */
  | { readonly type: 'cabe:boot-failed'; readonly code: number; readonly message: string }
  /** It drains unasked, accepts nothing any more, and will exit with this code; the reason is one line. */
  | { readonly type: 'cabe:draining'; readonly code: number; readonly reason?: string | undefined }
  /** It requests the listening socket of this address; sent only where {@link LISTENER_OFFER} is set. */
  | { readonly type: 'cabe:listener.wanted'; readonly port: number; readonly host: string | undefined }
  /** The answer to `cabe:usage.wanted`: resident memory in bytes, and CPU time since its start in ms. */
  | { readonly type: 'cabe:usage'; readonly rss: number; readonly cpuMs: number }
  /** It has work again, after its heartbeats had been slow. */
  | { readonly type: 'cabe:busy' }
  /** It cannot write heartbeats any more: their descriptor has been closed, or leads to another file. */
  | { readonly type: 'cabe:heartbeat.lost' };

/** Figures that PM2 shows as they are (its word for the metrics of its agent, `@pm2/io`). */
export interface Pm2Metrics {
  readonly type: 'axm:monitor';
  readonly data: Readonly<Record<string, { readonly value: string; readonly unit: string }>>;
}

/** What the supervisor sends; `cabe:listener` and `cabe:listener.lent` travel with a TCP handle. */
export type ToWorker =
  /** Drain and exit: the service stops (PM2's word for `shutdown_with_message`). */
  | 'shutdown'
  /** Drain and exit: a successor serves. Skips DRAIN_DELAY_MS. Sent before `shutdown`, which then adds nothing. */
  | { readonly type: 'cabe:retire' }
  /** The answer to `cabe:listener.wanted`: a handle, or the reason why there is none; without either, listen yourself. */
  | {
      readonly type: 'cabe:listener';
      readonly error?: { readonly code: string; readonly message: string } | undefined;
    }
  /** Accept on the socket of this slot as well, until it is returned: its own worker is gone or hangs. */
  | { readonly type: 'cabe:listener.lent'; readonly slot: number }
  | { readonly type: 'cabe:listener.returned'; readonly slot: number }
  | { readonly type: 'cabe:usage.wanted' }
  /** Write heartbeats into this record of this file from now on, at this pace. */
  | {
      readonly type: 'cabe:heartbeat.start';
      readonly record: number;
      readonly file: string;
      readonly pace: Pace;
    }
  | { readonly type: 'cabe:heartbeat.stop' };

/** Longest host name (RFC 1035, 2.3.4). */
const MAX_HOST_LENGTH = 255;

/** Longest text that is kept of a message, in characters. */
const MAX_TEXT_LENGTH = 4_096;

/** @returns nothing if the value is no message of a worker of ours */
export function parseFromWorker(value: unknown): FromWorker | undefined {
  if (value === 'ready') return value;
  const { type, code, message, reason, port, host, rss, cpuMs } = fieldsOf(value);
  switch (type) {
    case 'cabe:boot-failed':
      return isExitCode(code) && typeof message === 'string'
        ? { type, code, message: cut(message) }
        : undefined;
    case 'cabe:draining':
      return isExitCode(code)
        ? { type, code, reason: typeof reason === 'string' ? cut(reason) : undefined }
        : undefined;
    case 'cabe:listener.wanted':
      return isPort(port) && isHost(host) ? { type, port, host } : undefined;
    case 'cabe:usage':
      return isAmount(rss) && isAmount(cpuMs) ? { type, rss, cpuMs } : undefined;
    case 'cabe:busy':
    case 'cabe:heartbeat.lost':
      return { type };
    default:
      return undefined;
  }
}

/** @returns nothing if the value is no message of a supervisor of ours */
export function parseToWorker(value: unknown): ToWorker | undefined {
  if (value === 'shutdown') return value;
  const { type, error, slot, record, file, pace } = fieldsOf(value);
  switch (type) {
    case 'cabe:retire':
    case 'cabe:usage.wanted':
    case 'cabe:heartbeat.stop':
      return { type };
    case 'cabe:listener': {
      if (error === undefined) return { type };
      const { code, message } = fieldsOf(error);
      if (typeof code !== 'string' || typeof message !== 'string') return undefined;
      return { type, error: { code: cut(code), message: cut(message) } };
    }
    case 'cabe:listener.lent':
    case 'cabe:listener.returned':
      return isWholeBelow(slot, MAX_WORKERS) ? { type, slot } : undefined;
    case 'cabe:heartbeat.start':
      return isWholeBelow(record, MAX_HEARTBEAT_RECORDS) && typeof file === 'string' && isPace(pace)
        ? { type, record, file: cut(file), pace }
        : undefined;
    default:
      return undefined;
  }
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const isWholeBelow = (value: unknown, end: number): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < end;

const isPace = (value: unknown): value is Pace => PACES.some(pace => pace === value);

const isExitCode = (value: unknown): value is number => isWholeBelow(value, 256);

const isPort = (value: unknown): value is number => isWholeBelow(value, 65_536);

const isHost = (value: unknown): value is string | undefined =>
  value === undefined || (typeof value === 'string' && value.length <= MAX_HOST_LENGTH);

/** Bytes or milliseconds. */
const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;

const cut = (text: string): string => text.slice(0, MAX_TEXT_LENGTH);
