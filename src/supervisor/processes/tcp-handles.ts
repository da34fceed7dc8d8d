/**
 * Listening sockets that another process can listen on: raw TCP handles of Node, bound but not listening.
 *
 * No other file touches these undocumented parts of Node: `net._createServerHandle` and the handles that it returns,
 * both unchanged from Node 20 to 26. They are detected, not assumed ({@link hasTcpHandles}); without them the listener
 * leaves listening to the workers. `tests/supervisor/processes/tcp-handles.test.ts` fails when a Node changes them.
 */
import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Address } from '../../protocol/address.js';

/** The part of Node's internal handle that is used here. */
export interface TcpHandle {
  /** The descriptor; -1 once it is closed. */
  readonly fd: number;
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

const { _createServerHandle: createServerHandle } = net as unknown as {
  _createServerHandle?: CreateServerHandle;
};

/** libuv's UV_TCP_REUSEPORT; Node 20 ignores it silently, so its use depends on {@link canReusePort}. */
const REUSEPORT = 2;

/** Whether this Node has what this file needs; on Windows a handle cannot be sent to another process. */
export const hasTcpHandles = (): boolean => createServerHandle !== undefined && process.platform !== 'win32';

/** Whether libuv knows UV_TCP_REUSEPORT, and the kernel balances by it: Node 22.12 and later, on Linux. */
export function canReusePort(version: string, platform: NodeJS.Platform): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return platform === 'linux' && (major > 22 || (major === 22 && minor >= 12));
}

/** @param sharing `exclusive` fails where another socket is bound to the port; `reuse-port` may share it with others */
export function bindTcp({ host, port }: Address, sharing: 'exclusive' | 'reuse-port'): TcpHandle {
  const family = host === undefined ? null : net.isIPv6(host) ? 6 : 4;
  const handle = create(host ?? null, port, family, undefined, sharing === 'reuse-port' ? REUSEPORT : 0);
  // libuv delays EADDRINUSE: a handle that is not truly bound has no name yet, and would listen on a random port.
  const name: { port?: number } = {};
  const failed = handle.getsockname(name);
  if (failed === 0 && name.port === port) return handle;
  handle.close();
  throw systemError('EADDRINUSE', `bind ${host ?? '*'}:${port}`);
}

/** A handle for an open descriptor of a listening socket. */
export function adoptSocket(fd: number): TcpHandle {
  return create(null, null, null, fd, 0);
}

function create(...request: Parameters<CreateServerHandle>): TcpHandle {
  const handle = createServerHandle?.(...request) ?? -1;
  if (typeof handle !== 'number') return handle;
  const [address, port] = request;
  throw systemError(getSystemErrorName(handle), `bind ${address ?? '*'}:${port}`);
}

function systemError(code: string, call: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${call}: ${code}`), { code });
}
