/**
 * The supervisor's end of the IPC channel of one worker: every message to or from it passes here. A worker may send
 * anything; what is no message of ours is ignored, and what breaks the channel is that worker's fault.
 */
import type { Worker } from 'node:cluster';
import { parseFromWorker, type FromWorker, type ToWorker } from '../../protocol/messages.js';
import { outsideFaultContext } from './fault-context.js';
import type { TcpHandle } from './tcp-handles.js';

export interface WorkerChannel {
  readonly isConnected: boolean;
  /** A message that cannot be delivered is dropped: the exit of the worker follows. */
  send(message: ToWorker, handle?: TcpHandle): void;
}

/** @param receive errors that it throws are the worker's fault, too */
export function openChannel(
  worker: Worker,
  receive: (message: FromWorker) => void,
  onFault: (error: unknown) => void,
): WorkerChannel {
  worker.on('message', (value: unknown, handle: unknown) =>
    outsideFaultContext(() => {
      closeUnwanted(handle);
      const message = parseFromWorker(value);
      if (message === undefined) return;
      try {
        receive(message);
      } catch (error) {
        onFault(error);
      }
    }),
  );
  closeUnwantedOfInternalMessages(worker);
  return {
    get isConnected() {
      return worker.isConnected();
    },
    send(message, handle) {
      if (!worker.isConnected()) return;
      worker.process.send(message, handle as never, undefined, () => undefined);
    },
  };
}

/**
 * Messages whose `cmd` begins with `NODE_` are Node's own and not reported by `message`, but a worker can send them with
 * a handle as well. `internalMessage` is not documented: should it go, such handles stay open until the supervisor ends.
 */
function closeUnwantedOfInternalMessages({ process: child }: Worker): void {
  child.on('internalMessage', (message: { readonly cmd?: unknown } | null, handle: unknown) => {
    // This one is an envelope: Node makes a message and a socket or server of it, and reports those.
    if (message?.cmd !== 'NODE_HANDLE') closeUnwanted(handle);
  });
}

/** A socket, a server or a raw handle that a worker has sent: the supervisor has no use for any. */
function closeUnwanted(handle: unknown): void {
  const { destroy, close } = (handle ?? {}) as { destroy?: () => void; close?: () => void };
  if (typeof destroy === 'function') destroy.call(handle);
  else if (typeof close === 'function') close.call(handle);
}
