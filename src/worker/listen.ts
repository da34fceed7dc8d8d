/**
 * How the worker gets its connections: it listens itself, or on a socket that its supervisor hands out and keeps open
 * when the worker dies. Only a supervisor that offers a socket is asked for one.
 */
import net, { type AddressInfo, type Server } from 'node:net';
import { unableToListen } from '../platform/system-errors.js';
import { portOwner } from '../platform/port-owner.js';
import { lookedUp, type Address } from '../protocol/address.js';
import type { Channel, Handle } from './channel.js';

/**
 * How many connections may wait in the kernel, on each socket, until they are accepted; the system may allow fewer
 * (`net.core.somaxconn`). Node's own 511 are full after a second and a half without the only worker, at one new
 * connection every 3 ms. A client that comes then is not refused: it tries again seconds later, and may find it full
 * again.
 */
const BACKLOG = 4_096;

export interface Listening {
  /** No connection is accepted from now on; open ones stay open, unlike with `http.Server#close()`. */
  stop(): void;
}

/**
 * Resolves once connections are accepted.
 * @param offer the channel to a supervisor that offers a socket
 * @throws ServiceError where the cause is known, otherwise the system's error
 */
export async function listen(server: Server, address: Address, offer?: Channel): Promise<Listening> {
  try {
    const handle = offer && (await requestHandle(offer, await lookedUp(address)));
    await listening(server, handle ?? { port: address.port, host: address.host });
  } catch (error) {
    throw unableToListen(error as NodeJS.ErrnoException, address, portOwner);
  }
  const stopBorrowing = offer && acceptBorrowed(server, offer);
  return {
    stop() {
      net.Server.prototype.close.call(server);
      stopBorrowing?.();
    },
  };
}

/** Where a client on this machine reaches a server that listens; the port is the one that it got. */
export function urlOf({ host, port }: Address, server: Server): string {
  const isEverywhere = host === undefined || host === '0.0.0.0' || host === '::';
  const name = isEverywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${(server.address() as AddressInfo | null)?.port ?? port}`;
}

function listening(server: Server, where: net.ListenOptions | object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, BACKLOG, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** @returns nothing if the supervisor has no socket for this address: the worker then listens itself */
function requestHandle(channel: Channel, { port, host }: Address): Promise<Handle | undefined> {
  return new Promise((resolve, reject) => {
    channel.on('cabe:listener', ({ error }, handle) => {
      channel.off('cabe:listener');
      if (error === undefined) resolve(handle);
      else reject(Object.assign(new Error(error.message), { code: error.code }));
    });
    channel.send({ type: 'cabe:listener.wanted', port, host });
  });
}

/**
 * Accepts on the sockets of other slots, as long as they are lent.
 * @returns what stops that; a handle that is still on its way is then closed by the channel
 */
function acceptBorrowed(server: Server, channel: Channel): () => void {
  const borrowed = new Map<number, Server>();
  channel.on('cabe:listener.lent', ({ slot }, handle) => {
    if (handle === undefined) return;
    const acceptor = net.createServer({ allowHalfOpen: true, noDelay: true }, socket =>
      server.emit('connection', socket),
    );
    borrowed.get(slot)?.close();
    borrowed.set(slot, acceptor.listen(handle, BACKLOG));
  });
  channel.on('cabe:listener.returned', ({ slot }) => {
    borrowed.get(slot)?.close();
    borrowed.delete(slot);
  });
  return () => {
    channel.off('cabe:listener.lent');
    for (const acceptor of borrowed.values()) acceptor.close();
    borrowed.clear();
  };
}
