/**
 * What a worker and node:cluster say to each other. Node believes a worker: it would close a socket before it listens,
 * which then stays open, let a worker answer for another one, and look up names for it. Such messages are refused, or have
 * no effect.
 */
import type { ChildProcess } from 'node:child_process';
import { isIP } from 'node:net';
import { isActivated } from '../../platform/socket-activation.js';

/** Sockets that a worker may have opened by node:cluster at the same time. */
const MAX_SOCKETS = 64;

/** Longer than a path of a Unix socket may be on any system, in characters. */
const MAX_PATH = 4_096;

/** What node:cluster may keep for a worker beside a socket, in characters: its own is 110 long (tickets of TLS). */
const MAX_DATA_LENGTH = 4_096;

/** A message of node:cluster. */
export interface ClusterMessage {
  act?: unknown;
  /** The number of the message that it answers. */
  ack?: unknown;
  seq?: unknown;
  key?: unknown;
  errno?: unknown;
  fd?: unknown;
  address?: unknown;
  port?: unknown;
  addressType?: unknown;
  index?: unknown;
  flags?: unknown;
  backlog?: unknown;
  data?: unknown;
}

export interface ClusterMessages {
  /**
   * Before node:cluster acts on a message of the worker: takes away from it what must have no effect.
   * @returns why the worker is at fault, if it is
   */
  inspect(message: ClusterMessage): string | undefined;
}

/** @param isOver whether nothing is granted any more, as the worker has misbehaved or exited */
export function followClusterMessages(child: ChildProcess, isOver: () => boolean): ClusterMessages {
  /** Sockets that it waits for, by the numbers of its requests, which an honest worker counts up. */
  const asked = new Map<unknown, string>();
  /** What it listens on, by the keys of node:cluster. */
  const granted = new Map<unknown, string>();
  /** Connections that it has not accepted or refused yet, by the numbers of their messages. */
  const offered = new Set<unknown>();

  function noteSent({ act, ack, seq, key, errno }: ClusterMessage): void {
    if (act === 'newconn') offered.add(seq);
    const request = asked.get(ack);
    if (request === undefined) return;
    asked.delete(ack);
    if (!errno) granted.set(key, request);
  }

  const { send } = child;
  child.send = function (this: ChildProcess, message: unknown, ...rest: readonly unknown[]) {
    const isOfCluster = (message as { cmd?: unknown } | null)?.cmd === 'NODE_CLUSTER';
    if (isOfCluster) noteSent(message as ClusterMessage);
    return Reflect.apply(send, this, [message, ...rest]) as boolean;
  };

  let isDisconnected = false;
  child.once('disconnect', () => (isDisconnected = true));
  child.once('close', () => {
    // Node does not say so where the worker has a handle that it has not acknowledged; node:cluster would keep its sockets.
    if (!isDisconnected) child.emit('disconnect');
    // Node keeps connections open that have no answer, and their clients wait for ever.
    for (const ack of offered) child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack, accepted: true });
  });

  function faultOfQuery(message: ClusterMessage): string | undefined {
    if (granted.size + asked.size >= MAX_SOCKETS) return `more than ${MAX_SOCKETS} listening sockets`;
    const fault = faultOfFields(message);
    if (fault !== undefined) return fault;
    const { address, port, addressType, fd, index, seq } = message;
    const request = [address, port, addressType, fd, index].join();
    // Node would throw. What it has closed, or did not get, it may ask for again.
    const isOpen = [...asked.values(), ...granted.values()].includes(request);
    if (isOpen || asked.has(seq)) return 'it asks for the same socket twice';
    asked.set(seq, request);
    return undefined;
  }

  return {
    inspect(message) {
      if (message.ack !== undefined && !offered.delete(message.ack)) message.ack = undefined;
      // Node would close it before it has begun to listen.
      if (message.act === 'close' && !granted.delete(message.key)) message.act = undefined;
      if (message.act !== 'queryServer') return undefined;
      // `listen(port, host, callback)` sends `false`, and an app may have given anything: then Node's default is used.
      if (typeof message.backlog !== 'number') message.backlog = undefined;
      const fault = isOver() ? undefined : faultOfQuery(message);
      if (fault !== undefined || isOver()) message.act = undefined;
      return fault;
    },
  };
}

const isNumberOrNothing = (value: unknown): boolean =>
  value === undefined || value === null || typeof value === 'number';

/**
 * Node must neither throw because of a request, nor look a name up for it: if the worker exited before node:cluster has
 * the socket, that would fail at the exit, and keep the socket.
 */
function faultOfFields(message: ClusterMessage): string | undefined {
  const { fd, address, port, addressType, seq, index, flags, data } = message;
  // -1 stands for none. node:cluster would take, and in the end close, any open descriptor.
  const hasDescriptor = fd !== undefined && fd !== null && fd !== -1;
  if (hasDescriptor && !isActivated(fd))
    return `it asks to listen on ${typeof fd === 'number' ? `descriptor ${fd}` : 'a descriptor'} of the supervisor`;
  if (!hasDescriptor && !isPlace(address, port, addressType))
    return 'it asks to listen at an address or port that is none';
  if (![seq, index, flags].every(isNumberOrNothing)) return 'its request to listen is malformed';
  return isShort(data) ? undefined : `it asks to keep more than ${MAX_DATA_LENGTH} characters for its socket`;
}

/** An IP address and a port, or a path: workers look names up themselves. */
function isPlace(address: unknown, port: unknown, type: unknown): boolean {
  if (port === -1)
    return typeof address === 'string' && address !== '' && address.length <= MAX_PATH && type === -1;
  const isUdp = type === 'udp4' || type === 'udp6';
  const isAddress = typeof address === 'string' ? isIP(address) !== 0 : isNothing(address) && !isUdp;
  const isPort = Number.isInteger(port) && Number(port) >= 0 && Number(port) < 65_536;
  return isAddress && (isPort || (isUdp && isNothing(port))) && (isUdp || type === 4 || type === 6);
}

const isNothing = (value: unknown): boolean => value === undefined || value === null;

function isShort(data: unknown): boolean {
  try {
    return (JSON.stringify(data) ?? '').length <= MAX_DATA_LENGTH;
  } catch {
    return false; // nested too deep
  }
}
