/** How a request can fail, and what is known of its connection, so that the cause can be found. */
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

export type Failure =
  'refused' | 'reset' | 'timed out' | 'truncated' | 'wrong answer' | 'server error' | 'other';

/** A request that failed. Times are those of the system's clock, which other processes share. */
export interface Lost {
  readonly kind: Failure;
  readonly what: string;
  /** The client's port of its connection; none if it never had one. */
  readonly port: number | undefined;
  readonly openedAt: number;
  readonly failedAt: number;
}

/** A connection as its client knows it. The time is that of the system's clock, which other processes share. */
export interface Opened {
  /** The client's port. */
  readonly port: number;
  readonly at: number;
}

/** What one request finds out about the connection it is sent on. */
export interface Trace {
  port: number | undefined;
  openedAt: number;
}

const openedAt = new WeakMap<Socket, number>();

export const newTrace = (): Trace => ({ port: undefined, openedAt: Date.now() });

/** The request of this trace is sent on this connection, which may be an old one. */
export function follow(trace: Trace, socket: Socket): void {
  const known = openedAt.get(socket);
  if (known === undefined) openedAt.set(socket, trace.openedAt);
  else trace.openedAt = known;
  trace.port = socket.localPort;
  if (socket.connecting) socket.once('connect', () => (trace.port = socket.localPort));
}

export const failure = (kind: Failure, message: string): Error => Object.assign(new Error(message), { kind });

/** Ends a request or a connection that takes longer; it then fails as `timed out`. */
export function giveUpAfter(timeoutMs: number, connection: ClientRequest | Socket): void {
  const timer = setTimeout(
    () => connection.destroy(failure('timed out', `no answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  connection.once('close', () => clearTimeout(timer));
}

export function kindOf(error: NodeJS.ErrnoException & { kind?: Failure }): Failure {
  if (error.kind !== undefined) return error.kind;
  if (error.code === 'ECONNREFUSED') return 'refused';
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : 'other';
}
