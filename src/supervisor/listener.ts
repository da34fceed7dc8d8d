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
import { errors } from '../errors.js';
import type { SlotId } from './model.js';

/** Where a worker wants to listen; no host means every address of both families. */
export interface Address {
  readonly port: number;
  readonly host: string | undefined;
}

/** How connections reach the workers: a socket for each slot, one for all, or node:cluster's own way. */
export type ListenerMode = 'per-slot' | 'shared' | 'cluster';

export interface Listener {
  readonly mode: ListenerMode;
  /** Whether workers may ask for a socket. */
  readonly offers: boolean;
  /** Binds an address before there is a worker. @throws Error with `code` EADDRINUSE, EACCES, EADDRNOTAVAIL… */
  reserve(address: Address): void;
  /** The socket on which the worker of this slot is to accept, or why there is none. */
  socketOf(slot: SlotId, address: Address): SocketAnswer;
  /** The sockets of this slot alone, which nobody else would accept on. */
  lendable(slot: SlotId): readonly TcpHandle[];
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
  addressType: 4 | 6 | null,
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

/** One address and its sockets: index 0 serves every slot in `shared` mode. */
interface Bound {
  readonly address: Address;
  readonly sockets: Map<SlotId, TcpHandle>;
}

export function createListener(
  mode: ListenerMode = pickMode(process.env),
  activated = activatedFd(process.env),
): Listener {
  const bound = new Map<string, Bound>();

  /** A random port, or a name that must be looked up first, is left to the worker. */
  function isOurs({ port, host }: Address): boolean {
    return mode !== 'cluster' && port !== 0 && (host === undefined || net.isIP(host) !== 0);
  }

  function boundAt(address: Address): Bound {
    const key = `${address.host ?? ''}|${address.port}`;
    const known = bound.get(key);
    if (known !== undefined) return known;
    const first = activated === undefined ? claim(address, mode) : adopt(activated);
    const fresh = { address, sockets: new Map([[0, first]]) };
    bound.set(key, fresh);
    return fresh;
  }

  function socketFor(slot: SlotId, address: Address): TcpHandle {
    const { sockets } = boundAt(address);
    const index = mode === 'per-slot' && activated === undefined ? slot : 0;
    const socket = sockets.get(index) ?? bind(address, REUSEPORT);
    sockets.set(index, socket);
    return socket;
  }

  return {
    mode,
    offers: mode !== 'cluster',
    reserve(address) {
      if (isOurs(address)) boundAt(address);
    },
    socketOf(slot, address) {
      if (!isOurs(address)) return {};
      try {
        return { handle: socketFor(slot, address) };
      } catch (error) {
        const { code = 'EUNKNOWN', message } = error as NodeJS.ErrnoException;
        return { error: { code, message } };
      }
    },
    lendable: slot =>
      mode === 'per-slot' ? [...bound.values()].flatMap(({ sockets }) => sockets.get(slot) ?? []) : [],
    close() {
      for (const { sockets } of bound.values()) for (const socket of sockets.values()) socket.close();
      bound.clear();
    },
  };
}

/**
 * A socket for each slot where the kernel can share a port among them; the user's own word on scheduling wins.
 * `CABE_LISTENER=shared|per-slot` asks for one way, to measure it against the others or to look for a fault; where
 * the platform cannot do that, it does what it can.
 */
function pickMode(env: NodeJS.ProcessEnv): ListenerMode {
  const { NODE_CLUSTER_SCHED_POLICY: policy, CABE_LISTENER: asked } = env;
  if (asked !== undefined && asked !== 'shared' && asked !== 'per-slot')
    throw errors.invalidConfiguration([
      { name: 'CABE_LISTENER', expected: 'shared or per-slot', got: asked },
    ]);
  if (policy !== undefined || createServerHandle === undefined) return 'cluster';
  if (process.platform === 'win32') return 'cluster';
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
 * first bound exclusively: that one fails if anybody listens there.
 */
function claim(address: Address, mode: ListenerMode): TcpHandle {
  const exclusive = bind(address, 0);
  if (mode === 'shared') return exclusive;
  exclusive.close();
  return bind(address, REUSEPORT);
}

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
  throw systemError(getSystemErrorName(handle), `bind ${request[0] ?? '*'}:${request[1]}`);
}

function systemError(code: string, call: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${call}: ${code}`), { code });
}
