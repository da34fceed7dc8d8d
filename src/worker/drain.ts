/**
 * Leaving without losing a request.
 *
 * `http.Server#close()` destroys idle keep-alive connections (since Node 19), also those on which a request is
 * already on its way: that is where the usual graceful shutdown drops traffic. Here only the accepting stops. Every
 * answer from then on says `Connection: close`; a connection that is silent may still send one more request for a
 * while, the lame-duck window, and is then closed; what is being answered may finish until the deadline.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface DrainTimes {
  /** How long a silent connection may still send a request. */
  readonly lameDuckMs: number;
  /** From now until whatever is still being answered is cut. */
  readonly timeoutMs: number;
}

/** A request that was cut: what the log says about it. */
export interface Cut {
  readonly method: string;
  readonly url: string;
}

export interface Drainable {
  /** Resolves when no connection is left, with the requests that had to be cut. Stop accepting first. */
  drain(times: DrainTimes): Promise<readonly Cut[]>;
  /** Brings the deadline of the drain, present or to come, forward to so many milliseconds from now. */
  hurry(timeoutMs: number): void;
}

/** The latest exchange on a connection; a pipelined one waits for those before it, so it finishes last. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Keeps an eye on the connections of a server. Costs one property per request until it is told to drain. */
export function drainable(server: Server): Drainable {
  const sockets = new Map<Socket, Exchange | undefined>();
  let drainSocket: ((socket: Socket, exchange: Exchange, before: Exchange | undefined) => void) | undefined;
  let finishIfEmpty = (): void => undefined;
  let latest = Infinity;
  let setDeadline = (): void => undefined;

  server.on('connection', (socket: Socket) => {
    sockets.set(socket, undefined);
    socket.once('close', () => {
      sockets.delete(socket);
      finishIfEmpty();
    });
  });
  server.prependListener('request', notice);

  function notice(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const exchange = { request, response };
    if (drainSocket !== undefined) drainSocket(socket, exchange, sockets.get(socket));
    sockets.set(socket, exchange);
  }

  /**
   * By the next turn all that came at once has been read. Otherwise a request that is answered at once would say that
   * it is the last one, while another one stands behind it already.
   */
  function answerNextTurn(): void {
    const handlers = server.listeners('request').filter(listener => listener !== notice);
    for (const handler of handlers) server.off('request', handler as RequestListener);
    server.on('request', (...exchange) => {
      setImmediate(() => {
        for (const handler of handlers) Reflect.apply(handler, server, exchange);
      });
    });
  }

  function drain({ lameDuckMs, timeoutMs }: DrainTimes): Promise<readonly Cut[]> {
    const cuts: Cut[] = [];
    const timers = new Set<NodeJS.Timeout>();
    /** Answers whose keeping alive is our doing to have ended. */
    const last = new WeakSet<ServerResponse>();
    latest = Math.min(latest, performance.now() + timeoutMs);
    return new Promise(resolve => {
      let deadline: NodeJS.Timeout | undefined;
      setDeadline = () => {
        clearTimeout(deadline);
        deadline = setTimeout(cutAll, latest - performance.now());
      };
      finishIfEmpty = () => {
        if (sockets.size > 0) return;
        clearTimeout(deadline);
        for (const timer of timers) clearTimeout(timer);
        resolve(cuts);
      };
      drainSocket = (socket, exchange, before) => {
        // Pipelined: Node would end the connection behind the answer before, and leave this one without any.
        if (before !== undefined && last.has(before.response) && !before.response.headersSent)
          before.response.shouldKeepAlive = true;
        lastAnswer(socket, exchange);
      };
      answerNextTurn();
      setDeadline();
      for (const [socket, exchange] of sockets) {
        if (exchange !== undefined && isAnswering(exchange)) lastAnswer(socket, exchange);
        else closeUnlessAnswering(socket);
      }
      finishIfEmpty();

      /**
       * The answer that ends this connection. Where its head is out already, or a handler says `Connection:
       * keep-alive` by itself, the client may think that it can go on.
       */
      function lastAnswer(socket: Socket, { response }: Exchange): void {
        if (!response.headersSent && response.shouldKeepAlive) {
          response.shouldKeepAlive = false;
          last.add(response);
        }
        response.once('finish', () => closeUnlessAnswering(socket));
      }

      function closeUnlessAnswering(socket: Socket): void {
        const timer = setTimeout(() => {
          timers.delete(timer);
          // A loop that was busy when the window ended has not read yet what came within it: one look at the network first.
          setImmediate(() => {
            const exchange = sockets.get(socket);
            if (exchange === undefined || !isAnswering(exchange)) socket.destroy();
          });
        }, lameDuckMs);
        timers.add(timer);
      }

      function cutAll(): void {
        for (const [socket, exchange] of sockets) {
          if (exchange !== undefined && isAnswering(exchange)) cuts.push(described(exchange));
          socket.destroy();
        }
      }
    });
  }

  return {
    drain,
    hurry(timeoutMs) {
      latest = Math.min(latest, performance.now() + timeoutMs);
      setDeadline();
    },
  };
}

/** Whether a complete request head has arrived and its answer has not yet been handed to the system. */
function isAnswering({ response }: Exchange): boolean {
  return !response.writableFinished && !response.destroyed;
}

function described({ request }: Exchange): Cut {
  return { method: request.method ?? '', url: request.url ?? '' };
}
