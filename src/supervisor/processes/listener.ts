/**
 * The listening sockets of the service. The supervisor binds them and keeps them open until it ends, but never
 * listens or accepts: its workers do, on copies of the handle. So a connection that arrives while a worker, even
 * the only one, is being replaced waits in the kernel instead of being refused, and the supervisor has no work
 * per connection.
 *
 * This file is the only one that touches undocumented parts of Node (`net._createServerHandle`, raw TCP handles;
 * steady from Node 20 to 26). They are detected, not assumed; without them workers listen for themselves, through
 * node:cluster's round robin.
 */
import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { errors } from '../../errors.js';
import type { Address } from '../../protocol/address.js';
import type { SlotId } from '../core/model.js';

/** How connections reach the workers: a socket for each slot, one for all, or node:cluster's own way. */
export type ListenerMode = 'per-slot' | 'shared' | 'cluster';

export interface Listener {
  readonly mode: ListenerMode;
  /** Whether workers may ask for a socket. */
  readonly offers: boolean;
  /** Binds a looked-up address before there is a worker. @throws Error with `code` EADDRINUSE, EACCES, EADDRNOTAVAIL… */
  reserve(address: Address): void;
  /** The socket on which the worker of this slot is to accept, or why there is none. */
  socketOf(slot: SlotId, address: Address): SocketAnswer;
  /** The socket of this slot alone at this address, on which nobody else would accept; nothing where it has none. */
  lendable(slot: SlotId, address: Address): TcpHandle | undefined;
  /** Closes every address but these. */
  keep(addresses: readonly Address[]): void;
  /** Clients are refused from now on, as soon as no worker holds a copy any more. */
  close(): void;
}

export interface SocketAnswer {
  readonly handle?: TcpHandle;
  readonly error?: { readonly code: string; readonly message: string };
}

/** The part of Node's internal TCP wrap that is used here. */
export interface TcpHandle {
  close(): void;
  getsockname(out: { port?: number; address?: string }): number;
}

type CreateServerHandle = (
  address: string | null,
  port: number | null,
  addressType: 4 | 6 | typeof PIPE | null,
  fd?: number,
  flags?: number,
) => TcpHandle | number;

/** libuv's UV_TCP_REUSEPORT; Node 20 ignores it silently, so it is used by version (`canReusePort`). */
const REUSEPORT = 2;

/** First descriptor of systemd's socket activation, see sd_listen_fds(3). */
const LISTEN_FDS_START = 3;

const { _createServerHandle: createServerHandle } = net as unknown as {
  _createServerHandle?: CreateServerHandle;
};

/** The sockets of one address: index 0 serves every slot in `shared` mode. */
interface Bound {
  readonly sockets: Map<SlotId, TcpHandle>;
  /** What keeps other supervisors away; see {@link claim}. */
  readonly name: TcpHandle | undefined;
}

export function createListener(
  activated = activatedFd(process.env),
  mode: ListenerMode = pickMode(process.env, activated),
): Listener {
  const bound = new Map<string, Bound>();

  /** A random port is left to the worker. */
  const isOurs = ({ port }: Address): boolean => mode !== 'cluster' && port !== 0;

  /** The one socket of systemd is every address: there is no other. */
  const keyOf = ({ host, port }: Address): string =>
    activated === undefined ? `${host ?? '*'}:${port}` : 'activated';

  const indexOf = (slot: SlotId): SlotId => (mode === 'per-slot' ? slot : 0);

  function boundAt(address: Address, slot: SlotId): Bound {
    const known = bound.get(keyOf(address));
    if (known !== undefined) return known;
    const { first, name } =
      activated === undefined ? open(address, mode) : { first: adopt(activated), name: undefined };
    const entry = { sockets: new Map([[indexOf(slot), first]]), name };
    bound.set(keyOf(address), entry);
    return entry;
  }

  function socketFor(slot: SlotId, address: Address): TcpHandle {
    const { sockets } = boundAt(address, slot);
    const index = indexOf(slot);
    const socket = sockets.get(index) ?? bind(address, REUSEPORT);
    sockets.set(index, socket);
    return socket;
  }

  /** A slot that has moved to another address leaves no socket behind that the kernel fills and nobody empties. */
  function leaveOthers(slot: SlotId, address: Address): void {
    if (mode !== 'per-slot') return;
    for (const [key, { sockets }] of bound) {
      if (key === keyOf(address)) continue;
      sockets.get(slot)?.close();
      sockets.delete(slot);
    }
  }

  function closeAt(key: string, { sockets, name }: Bound): void {
    for (const socket of sockets.values()) socket.close();
    name?.close();
    bound.delete(key);
  }

  return {
    mode,
    offers: mode !== 'cluster',
    reserve(address) {
      if (isOurs(address)) boundAt(address, 0);
    },
    socketOf(slot, address) {
      if (!isOurs(address)) return {};
      try {
        const handle = socketFor(slot, address);
        leaveOthers(slot, address);
        return { handle };
      } catch (error) {
        const { code = 'EUNKNOWN', message } = error as NodeJS.ErrnoException;
        return { error: { code, message } };
      }
    },
    lendable: (slot, address) =>
      mode === 'per-slot' ? bound.get(keyOf(address))?.sockets.get(slot) : undefined,
    keep(addresses) {
      const wanted = new Set(addresses.map(keyOf));
      for (const [key, entry] of bound) if (!wanted.has(key)) closeAt(key, entry);
    },
    close() {
      for (const [key, entry] of bound) closeAt(key, entry);
    },
  };
}

/**
 * A socket for each slot where the kernel can share a port among them; the user's own word on scheduling wins, but not
 * over a socket that systemd hands over: node:cluster could not take that. `CABE_LISTENER=shared|per-slot` asks for one
 * way, to measure it against the others or to look for a fault; where the platform cannot do that, it does what it can.
 */
function pickMode(env: NodeJS.ProcessEnv, activated: number | undefined): ListenerMode {
  const { NODE_CLUSTER_SCHED_POLICY: policy, CABE_LISTENER: asked } = env;
  if (asked !== undefined && asked !== 'shared' && asked !== 'per-slot')
    throw errors.invalidConfiguration([
      { name: 'CABE_LISTENER', expected: 'shared or per-slot', got: asked },
    ]);
  if (createServerHandle === undefined || process.platform === 'win32') return 'cluster';
  if (activated !== undefined) return 'shared';
  if (policy !== undefined) return 'cluster';
  const can = canReusePort(process.versions.node, process.platform);
  return can && asked !== 'shared' ? 'per-slot' : 'shared';
}

/** Whether libuv knows UV_TCP_REUSEPORT, and the kernel balances by it: Node 22.12 and later, on Linux. */
export function canReusePort(version: string, platform: NodeJS.Platform): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return platform === 'linux' && (major > 22 || (major === 22 && minor >= 12));
}

function activatedFd(env: NodeJS.ProcessEnv): number | undefined {
  return env['LISTEN_PID'] === String(process.pid) && Number(env['LISTEN_FDS']) >= 1
    ? LISTEN_FDS_START
    : undefined;
}

/**
 * The first socket of an address. SO_REUSEPORT would let two services share a port without a word, so the port is
 * first bound exclusively: that fails if anybody listens there. Who has bound it but does not listen yet, because its
 * workers are starting, is not found that way; so the address is claimed by a name as well.
 */
function open(address: Address, mode: ListenerMode): { first: TcpHandle; name: TcpHandle | undefined } {
  const exclusive = bind(address, 0);
  if (mode === 'shared') return { first: exclusive, name: undefined };
  exclusive.close();
  const name = claim(address);
  try {
    return { first: bind(address, REUSEPORT), name };
  } catch (error) {
    name.close();
    throw error;
  }
}

/**
 * A name in the abstract namespace of Unix sockets, which is that of the network, as ports are: two can never hold it,
 * and the kernel gives it back when we end (unix(7)).
 */
function claim({ host, port }: Address): TcpHandle {
  return create(`\0cabe-arena-listener:${host ?? '*'}:${port}`, PIPE, PIPE);
}

/** What `_createServerHandle` takes for port and family of a Unix socket. */
const PIPE = -1;

function bind({ host, port }: Address, flags: number): TcpHandle {
  const family = host === undefined ? null : net.isIPv6(host) ? 6 : 4;
  const handle = create(host ?? null, port, family, undefined, flags);
  // libuv delays EADDRINUSE; a handle that is not truly bound would listen on a random port (nodejs: getsockname tells).
  const name: { port?: number } = {};
  const failed = handle.getsockname(name);
  if (failed === 0 && name.port === port) return handle;
  handle.close();
  throw systemError('EADDRINUSE', `bind ${host ?? '*'}:${port}`);
}

function adopt(fd: number): TcpHandle {
  return create(null, null, null, fd, 0);
}

function create(...request: Parameters<CreateServerHandle>): TcpHandle {
  const handle = createServerHandle?.(...request) ?? -1;
  if (typeof handle !== 'number') return handle;
  throw systemError(
    getSystemErrorName(handle),
    `bind ${(request[0] ?? '*').replace('\0', '@')}:${request[1]}`,
  );
}

function systemError(code: string, call: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${call}: ${code}`), { code });
}
