/** The connections of a server, each with its latest exchange. */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A request and its response. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What happens on the connections while a drain follows them. */
export interface ConnectionEvents {
  /**
   * A request has arrived, before its handlers run.
   * @param before the latest exchange of this connection until now; it may still be going on (pipelining)
   */
  requested(socket: Socket, exchange: Exchange, before: Exchange | undefined): void;
  closed(): void;
}

export interface Connections extends Iterable<readonly [Socket, Exchange | undefined]> {
  readonly size: number;
  /** Whether the latest request on this connection waits for the end of its answer; later ones wait behind it. */
  isAnswering(socket: Socket): boolean;
  /** Calls these from now on. */
  follow(events: ConnectionEvents): void;
  /**
   * From now on handlers run in the next turn of the event loop: by then all requests that came together are read, and
   * it is known which one of a connection is the last.
   */
  deferHandlers(): void;
}

/** Keeps the latest exchange of each connection. */
export function trackConnections(server: Server): Connections {
  const sockets = new Map<Socket, Exchange | undefined>();
  let events: ConnectionEvents | undefined;

  server.on('connection', (socket: Socket) => {
    sockets.set(socket, undefined);
    socket.once('close', () => {
      sockets.delete(socket);
      events?.closed();
    });
  });
  server.prependListener('request', notice);

  function notice(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const exchange = { request, response };
    events?.requested(socket, exchange, sockets.get(socket));
    sockets.set(socket, exchange);
  }

  return {
    get size() {
      return sockets.size;
    },
    [Symbol.iterator]: () => sockets.entries(),
    isAnswering(socket) {
      const exchange = sockets.get(socket);
      return exchange !== undefined && isGoingOn(exchange);
    },
    follow(wanted) {
      events = wanted;
    },
    deferHandlers: () => defer(server, notice),
  };
}

/** Whether a complete request head has arrived and its answer has not yet been handed to the system. */
const isGoingOn = ({ response }: Exchange): boolean => !response.writableFinished && !response.destroyed;

/** Runs the server's request handlers, except this one, in the next turn. */
function defer(server: Server, except: RequestListener): void {
  const handlers = server.listeners('request').filter(handler => handler !== except);
  for (const handler of handlers) server.off('request', handler as RequestListener);
  server.on('request', (...exchange) => {
    setImmediate(() => {
      for (const handler of handlers) Reflect.apply(handler, server, exchange);
    });
  });
}
