/**
 * Drains a server without losing a request.
 *
 * `http.Server#close()` destroys idle keep-alive connections (since Node 19), also those on which a request is
 * already on its way: that is where the usual graceful shutdown drops requests. Here only accepting stops. Every answer
 * from then on says `Connection: close`. An idle connection may still send one more request for a grace period and is
 * then closed; requests in flight may finish until the deadline.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { trackConnections, type Connections, type Exchange } from './connections.js';

export interface DrainTimes {
  /** How long an idle connection may still send a request. */
  readonly idleGraceMs: number;
  /** From the begin of the drain until requests in flight are cut. */
  readonly timeoutMs: number;
}

/** A request that was cut at the deadline, as the log names it. */
export interface Cut {
  readonly method: string;
  readonly url: string;
  readonly requestId: string | undefined;
}

export interface Drainable {
  /** Resolves when no connection is left, with the requests that were cut. Stop accepting first. */
  drain(times: DrainTimes): Promise<readonly Cut[]>;
  /** Brings the deadline of this drain, or of the next one, forward to so many milliseconds from now. */
  hurry(timeoutMs: number): void;
}

/** Makes a server drainable; it must not have connections yet. */
export function drainable(server: Server): Drainable {
  const connections = trackConnections(server);
  let latest = Infinity;
  let running: Drain | undefined;
  const bringForward = (timeoutMs: number): void => {
    latest = Math.min(latest, performance.now() + timeoutMs);
  };
  return {
    drain({ idleGraceMs, timeoutMs }) {
      bringForward(timeoutMs);
      running = new Drain(connections, idleGraceMs);
      return running.begin(latest);
    },
    hurry(timeoutMs) {
      bringForward(timeoutMs);
      running?.setDeadline(latest);
    },
  };
}

/** One drain, from its begin to the last connection. */
class Drain {
  readonly #connections: Connections;
  readonly #idleGraceMs: number;
  readonly #cuts: Cut[] = [];
  readonly #graceTimers = new Set<NodeJS.Timeout>();
  /** Answers that end their connection because of this drain, and not because their client wants it. */
  readonly #last = new WeakSet<ServerResponse>();
  #deadline: NodeJS.Timeout | undefined;
  #end: (cuts: readonly Cut[]) => void = () => undefined;

  constructor(connections: Connections, idleGraceMs: number) {
    this.#connections = connections;
    this.#idleGraceMs = idleGraceMs;
  }

  /** @param deadline by `performance.now()` */
  begin(deadline: number): Promise<readonly Cut[]> {
    const drained = new Promise<readonly Cut[]>(resolve => (this.#end = resolve));
    this.#connections.follow({
      requested: (socket, exchange, before) => this.#answerLater(socket, exchange, before),
      closed: () => this.#endIfEmpty(),
    });
    this.#connections.deferHandlers();
    this.setDeadline(deadline);
    for (const [socket, exchange] of this.#connections) {
      if (exchange !== undefined && this.#connections.isAnswering(socket)) this.#makeLast(socket, exchange);
      else this.#closeAfterGrace(socket);
    }
    this.#endIfEmpty();
    return drained;
  }

  /** @param deadline by `performance.now()` */
  setDeadline(deadline: number): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#cutAll(), deadline - performance.now());
  }

  #answerLater(socket: Socket, exchange: Exchange, before: Exchange | undefined): void {
    // Pipelined: Node would end the connection after the answer before, and leave this request without any.
    if (before !== undefined && this.#last.has(before.response) && !before.response.headersSent)
      before.response.shouldKeepAlive = true;
    this.#makeLast(socket, exchange);
  }

  /**
   * Lets this answer end its connection. Where its head is out already, or a handler sets `Connection: keep-alive`
   * itself, the client may believe that it can go on: the grace period is for it.
   */
  #makeLast(socket: Socket, { response }: Exchange): void {
    if (!response.headersSent && response.shouldKeepAlive) {
      response.shouldKeepAlive = false;
      this.#last.add(response);
    }
    response.once('finish', () => this.#closeAfterGrace(socket));
  }

  #closeAfterGrace(socket: Socket): void {
    const timer = setTimeout(() => {
      this.#graceTimers.delete(timer);
      // A loop that was busy when the period ended has not read yet what came within it: read the network first.
      setImmediate(() => {
        if (!this.#connections.isAnswering(socket)) socket.destroy();
      });
    }, this.#idleGraceMs);
    this.#graceTimers.add(timer);
  }

  #cutAll(): void {
    for (const [socket, exchange] of this.#connections) {
      if (exchange !== undefined && this.#connections.isAnswering(socket)) {
        this.#cuts.push(cutOf(exchange.request));
      }
      socket.destroy();
    }
  }

  #endIfEmpty(): void {
    if (this.#connections.size > 0) return;
    clearTimeout(this.#deadline);
    for (const timer of this.#graceTimers) clearTimeout(timer);
    this.#end(this.#cuts);
  }
}

/** Express shortens `url` on its way through mounted routers, and keeps the whole one. */
function cutOf(request: IncomingMessage): Cut {
  // Packages such as pino-http declare an `id` of any type.
  const { originalUrl, id } = request as { readonly originalUrl?: string; readonly id?: unknown };
  const { method = '', url = '' } = request;
  return { method, url: originalUrl ?? url, requestId: typeof id === 'string' ? id : undefined };
}
