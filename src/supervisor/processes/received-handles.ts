/**
 * Sockets and servers that a worker sends. The supervisor has no use for any: each is closed the moment it arrives.
 *
 * Node keeps a handle until it has read the message that it belongs to, and makes a socket or server of it, which it
 * reports. It loses the handle where no such message comes, where it cannot be read or names a wrong type, or where the
 * channel ends first: nothing is reported then that could be closed, and the descriptor stays open.
 *
 * No other file touches these undocumented parts of Node, unchanged from Node 20 to 26: the handle of the channel below
 * `kChannelHandle`, and its property `pendingHandle`. Should they go, the handles in proper messages are still closed
 * (`channel.ts`).
 */
import type { ChildProcess } from 'node:child_process';

interface Channel {
  pendingHandle?: unknown;
}

function channelOf(child: ChildProcess): Channel | undefined {
  const symbol = Object.getOwnPropertySymbols(child).find(
    ({ description }) => description === 'kChannelHandle',
  );
  return symbol && (Reflect.get(child, symbol) as Channel | undefined);
}

/** Node passes closed handles on as it does others, so that the worker gets its receipt. */
export function closeReceivedHandles(child: ChildProcess): void {
  const channel = channelOf(child);
  if (channel?.pendingHandle !== null) return;
  let pending: unknown = null;
  Object.defineProperty(channel, 'pendingHandle', {
    configurable: true,
    enumerable: true,
    get: () => pending,
    set(handle: unknown) {
      closeHandle(handle);
      pending = handle;
    },
  });
}

/** A socket, a server or a raw handle; twice has no effect. */
export function closeHandle(handle: unknown): void {
  const { destroy, close } = (handle ?? {}) as { destroy?: () => void; close?: () => void };
  if (typeof destroy === 'function') destroy.call(handle);
  else if (typeof close === 'function') close.call(handle);
}
