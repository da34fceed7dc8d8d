/**
 * MAX_CONNECTIONS. Node's own `server.maxConnections` closes what is above it without a word, which clients see as a
 * network fault, and under node:cluster's round robin it makes the primary try in a circle. Here the first request on a
 * connection above the limit is answered, with 503 and `Connection: close`. That takes a few connections more; what is
 * above these, too, is reset.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** So many connections above the limit may be open to be answered. */
export const MAX_REFUSED = 64;

/** How long such a connection may take to send its request and to read the answer. */
const REFUSED_MS = 2_000;

export interface ConnectionLimit {
  watch(server: Server): void;
  /** Whether this connection is above the limit. */
  isRefused(socket: Socket): boolean;
}

/** @param onReset called for each connection that is not even answered */
export function limitConnections(max: number, onReset: () => void): ConnectionLimit {
  const refused = new Set<Socket>();
  let open = 0;

  function accept(socket: Socket): void {
    open++;
    socket.once('close', () => open--);
  }

  function refuse(socket: Socket): void {
    refused.add(socket);
    const timer = setTimeout(() => socket.destroy(), REFUSED_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      refused.delete(socket);
    });
  }

  return {
    isRefused: socket => refused.has(socket),
    watch: server =>
      void server.on('connection', (socket: Socket) => {
        if (open < max) return accept(socket);
        if (refused.size < MAX_REFUSED) return refuse(socket);
        onReset();
        socket.resetAndDestroy();
      }),
  };
}
