/**
 * The listening sockets of the service. The supervisor binds them and keeps them open until it ends, but it never
 * listens or accepts: its workers do, on copies of the handle. So a connection that arrives while a worker is being
 * replaced, even the only one, waits in the kernel instead of being refused, and the supervisor has no work per
 * connection.
 */
import { errors } from '../../errors.js';
import { activatedFd } from '../../platform/socket-activation.js';
import type { Address } from '../../protocol/address.js';
import type { SlotId } from '../core/model.js';
import { createPortGuard, type PortGuard, type Rival } from './port-guard.js';
import { adoptSocket, bindTcp, canReusePort, hasTcpHandles, type TcpHandle } from './tcp-handles.js';

/**
 * How connections reach the workers: `per-slot` a socket for each slot, `shared` one socket for all; `cluster` leaves
 * listening to the workers, through node:cluster's round robin.
 */
export type ListenerMode = 'per-slot' | 'shared' | 'cluster';

export interface Listener {
  readonly mode: ListenerMode;
  /** Whether workers may ask for a socket. */
  readonly offers: boolean;
  /** Binds a looked-up address before there is a worker. @throws Error with `code` EADDRINUSE, EACCES, EADDRNOTAVAIL… */
  reserve(address: Address): void;
  /** The socket on which the worker of this slot is to accept, or why there is none. */
  socketOf(slot: SlotId, address: Address): SocketAnswer;
  /** A worker has begun to listen at this address: calls back, usually at once, with what has the port beside us. */
  settle(address: Address, done: (rival?: Rival) => void): void;
  /** The socket that only the worker of this slot accepts on at this address, if it has one of its own. */
  lendable(slot: SlotId, address: Address): TcpHandle | undefined;
  /** Every socket that is open here, for a supervisor that takes the service over. */
  openSockets(): readonly OpenSocket[];
  /** No worker will ask for this address any more: closes it, unless it is one of those in use. */
  leave(former: Address, inUse: readonly Address[]): void;
  /** Closes every address but these. */
  keep(addresses: readonly Address[]): void;
  /** Closes all sockets: clients are refused once no worker holds a copy any more. */
  close(): void;
}

export interface SocketAnswer {
  readonly handle?: TcpHandle;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A socket that is open already. */
export interface OpenSocket {
  readonly fd: number;
  readonly slot: SlotId;
  /** Where it listens; nothing for the one of systemd, which stands for every address. */
  readonly address: Address | undefined;
}

/** What a supervisor starts with: the socket of systemd, or those of the supervisor that it replaces. */
export interface Inherited {
  readonly mode: ListenerMode;
  readonly sockets: readonly OpenSocket[];
}

/** @param inherited without it, what systemd hands over, if anything */
export function createListener(inherited: Inherited = activation(process.env)): Listener {
  const { mode } = inherited;
  const sockets = createSocketTable(inherited);
  /** A random port is left to the worker. */
  const isBoundHere = ({ port }: Address): boolean => mode !== 'cluster' && port !== 0;

  return {
    mode,
    offers: mode !== 'cluster',
    reserve(address) {
      if (isBoundHere(address)) sockets.reserve(address);
    },
    socketOf(slot, address) {
      if (!isBoundHere(address)) return {};
      try {
        return { handle: sockets.move(slot, address) };
      } catch (error) {
        const { code = 'EUNKNOWN', message } = error as NodeJS.ErrnoException;
        return { error: { code, message } };
      }
    },
    settle(address, done) {
      const guard = sockets.guardOf(address);
      if (guard === undefined) done();
      else guard.settle(done);
    },
    lendable: (slot, address) => (mode === 'per-slot' ? sockets.find(slot, address) : undefined),
    openSockets: sockets.all,
    leave: sockets.leave,
    keep: sockets.closeAllBut,
    close: () => sockets.closeAllBut([]),
  };
}

/** The sockets of one address. */
interface BoundAddress {
  readonly address: Address | undefined;
  /** By slot; in `shared` mode, slot 0 stands for all. */
  readonly sockets: Map<SlotId, TcpHandle>;
  /** Where the kernel alone would let others share the port. */
  readonly guard: PortGuard | undefined;
}

const ACTIVATED = 'activated';

interface SocketTable {
  reserve(address: Address): void;
  /** The socket of this slot at this address, bound if need be; its sockets at other addresses are closed. */
  move(slot: SlotId, address: Address): TcpHandle;
  find(slot: SlotId, address: Address): TcpHandle | undefined;
  guardOf(address: Address): PortGuard | undefined;
  all(): readonly OpenSocket[];
  leave(former: Address, inUse: readonly Address[]): void;
  closeAllBut(addresses: readonly Address[]): void;
}

// oxlint-disable-next-line max-lines-per-function -- one table and the ways in which it changes, a few lines each
function createSocketTable({ mode, sockets: inherited }: Inherited): SocketTable {
  const bound = new Map<string, BoundAddress>();
  const waiting = [...inherited];
  const isActivated = inherited.some(({ address }) => address === undefined);

  /** The one socket of systemd stands for every address: there is no other. */
  const keyOf = ({ host, port }: Address): string => (isActivated ? ACTIVATED : `${host ?? '*'}:${port}`);

  /** They listen already: no other service can have their port. */
  function adoptInherited(): void {
    for (const { fd, slot, address } of waiting.splice(0)) {
      const key = address === undefined ? ACTIVATED : keyOf(address);
      const entry = bound.get(key) ?? { address, sockets: new Map(), guard: undefined };
      entry.sockets.set(slot, adoptSocket(fd));
      bound.set(key, entry);
    }
  }

  const indexOf = (slot: SlotId): SlotId => (mode === 'per-slot' ? slot : 0);

  function boundAt(address: Address, slot: SlotId): BoundAddress {
    adoptInherited();
    const known = bound.get(keyOf(address));
    if (known !== undefined) return known;
    const first = open(address, mode);
    const guard = mode === 'per-slot' ? createPortGuard(address) : undefined;
    const entry = { address, sockets: new Map([[indexOf(slot), first]]), guard };
    bound.set(keyOf(address), entry);
    return entry;
  }

  /** The kernel fills the queue of any open socket, and no worker would empty these. */
  function closeElsewhere(slot: SlotId, address: Address): void {
    for (const [key, { sockets }] of bound) {
      if (key === keyOf(address)) continue;
      sockets.get(slot)?.close();
      sockets.delete(slot);
    }
  }

  function closeAt(key: string): void {
    for (const socket of bound.get(key)?.sockets.values() ?? []) socket.close();
    bound.delete(key);
  }

  return {
    reserve: address => void boundAt(address, 0),
    move(slot, address) {
      const { sockets, guard } = boundAt(address, slot);
      guard?.check();
      const index = indexOf(slot);
      const socket = sockets.get(index) ?? bindTcp(address, 'reuse-port');
      sockets.set(index, socket);
      if (mode === 'per-slot') closeElsewhere(slot, address);
      return socket;
    },
    find: (slot, address) => bound.get(keyOf(address))?.sockets.get(indexOf(slot)),
    guardOf: address => bound.get(keyOf(address))?.guard,
    all: () =>
      [...bound.values()].flatMap(({ address, sockets }) =>
        [...sockets].map(([slot, { fd }]) => ({ fd, slot, address })),
      ),
    leave(former, inUse) {
      if (!inUse.some(address => keyOf(address) === keyOf(former))) closeAt(keyOf(former));
    },
    closeAllBut(addresses) {
      const wanted = new Set(addresses.map(keyOf));
      for (const key of bound.keys()) if (!wanted.has(key)) closeAt(key);
    },
  };
}

/** What systemd hands over, if anything. */
function activation(env: NodeJS.ProcessEnv): Inherited {
  const fd = activatedFd(env);
  const sockets = fd === undefined ? [] : [{ fd, slot: 0, address: undefined }];
  return { mode: pickMode(env, fd), sockets };
}

/**
 * A socket for each slot where the kernel can share a port among them. NODE_CLUSTER_SCHED_POLICY, the user's own choice,
 * comes first, but not before a socket that systemd hands over: node:cluster could not take that.
 * `CABE_LISTENER=shared|per-slot` picks one mode, to measure it against the others or to look for a fault; `per-slot`
 * has no effect where the platform cannot do it.
 */
function pickMode(env: NodeJS.ProcessEnv, activated: number | undefined): ListenerMode {
  const { NODE_CLUSTER_SCHED_POLICY: policy, CABE_LISTENER: asked } = env;
  if (asked !== undefined && asked !== 'shared' && asked !== 'per-slot')
    throw errors.invalidConfiguration([
      { name: 'CABE_LISTENER', expected: 'shared or per-slot', got: asked },
    ]);
  if (!hasTcpHandles()) return 'cluster';
  if (activated !== undefined) return 'shared';
  if (policy !== undefined) return 'cluster';
  const can = canReusePort(process.versions.node, process.platform);
  return can && asked !== 'shared' ? 'per-slot' : 'shared';
}

/**
 * Binds the first socket of an address: exclusively at first, which fails if another process listens there. A port that
 * another service has only bound so far is the guard's matter (`port-guard.ts`).
 */
function open(address: Address, mode: ListenerMode): TcpHandle {
  const exclusive = bindTcp(address, 'exclusive');
  if (mode === 'shared') return exclusive;
  exclusive.close();
  return bindTcp(address, 'reuse-port');
}
