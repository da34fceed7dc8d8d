/**
 * How the worker gets its connections: it listens by itself, or on a socket that its supervisor hands it and keeps
 * when the worker dies. One file and one call for all of them; only a supervisor that offers a socket is asked.
 */
import net, { type Server } from 'node:net';
import { unableToListen } from '../errors.js';
import { lookedUp, type Address } from '../protocol/address.js';
import { LISTENER_OFFER, type FromWorker, type ToWorker } from '../protocol/messages.js';
import { portOwner } from '../platform/port-owner.js';

/**
 * So many connections may wait in the kernel, on each socket, until they are accepted; the system may allow fewer
 * (`net.core.somaxconn`). Node's own 511 are full after a second and a half without the only worker, at one new
 * connection every 3 ms; whoever comes then is not refused, but tries again in seconds, and may find it full again.
 */
const BACKLOG = 4_096;

export interface Listening {
  /** No connection is accepted from now on; those that are open stay open, unlike with `http.Server#close()`. */
  stop(): void;
}

/** Resolves once connections are accepted. @throws ServiceError where it is known what is wrong, else the system's error */
export async function listen(server: Server, address: Address): Promise<Listening> {
  const isOffered = process.env[LISTENER_OFFER] === '1' && process.connected;
  try {
    const handle = isOffered ? await askForHandle(await lookedUp(address)) : undefined;
    await listening(server, handle ?? { port: address.port, host: address.host });
  } catch (error) {
    throw unableToListen(error as NodeJS.ErrnoException, address, portOwner);
  }
  const giveBack = isOffered ? acceptLoans(server) : () => undefined;
  return {
    stop() {
      net.Server.prototype.close.call(server);
      giveBack();
    },
  };
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

/** @returns nothing if the supervisor has no socket for this address: then the worker listens by itself. */
function askForHandle({ port, host }: Address): Promise<object | undefined> {
  return new Promise((resolve, reject) => {
    function answered(message: ToWorker, handle: object | undefined): void {
      if (typeof message !== 'object' || message?.type !== 'listener') return;
      process.off('message', answered);
      if (message.error === undefined) resolve(handle);
      else reject(Object.assign(new Error(message.error.message), { code: message.error.code }));
    }
    process.on('message', answered);
    process.send?.({ type: 'listener.wanted', port, host } satisfies FromWorker);
  });
}

/**
 * Accepts on the sockets of other slots while nobody accepts on them.
 * @returns what ends all of that, and keeps a loan that is still on its way from being taken up
 */
function acceptLoans(server: Server): () => void {
  const lent = new Map<number, Server>();
  let isOver = false;
  process.on('message', (message: ToWorker, handle: { close(): void } | undefined) => {
    if (typeof message !== 'object' || message === null) return;
    if (message.type === 'listener.lent' && handle !== undefined) {
      if (isOver) return handle.close();
      const loan = net.createServer({ allowHalfOpen: true, noDelay: true }, socket =>
        server.emit('connection', socket),
      );
      lent.get(message.slot)?.close();
      lent.set(message.slot, loan.listen(handle, BACKLOG));
    }
    if (message.type === 'listener.returned') {
      lent.get(message.slot)?.close();
      lent.delete(message.slot);
    }
  });
  return () => {
    isOver = true;
    for (const loan of lent.values()) loan.close();
    lent.clear();
  };
}
