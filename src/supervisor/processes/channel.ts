/**
 * The supervisor's end of the IPC channel of one worker: every message to or from it passes here. A worker may send
 * anything; what is no message of ours is ignored, and what breaks the channel is that worker's fault.
 */
import type { Worker } from 'node:cluster';
import { parseFromWorker, type FromWorker, type ToWorker } from '../../protocol/messages.js';
import { isActivated } from '../../platform/socket-activation.js';
import { MESSAGES_PER_SECOND, type ChannelMeter } from './channel-limits.js';
import { outsideFaultContext } from './fault-context.js';
import type { TcpHandle } from './tcp-handles.js';

export interface WorkerChannel {
  readonly isConnected: boolean;
  /** A message that cannot be delivered is dropped: the exit of the worker follows. */
  send(message: ToWorker, handle?: TcpHandle): void;
}

export interface ChannelNeeds {
  readonly meter: ChannelMeter;
  /** Errors that it throws are the worker's fault, too. */
  receive(message: FromWorker): void;
  onFault(error: unknown): void;
}

export function openChannel(worker: Worker, { meter, receive, onFault }: ChannelNeeds): WorkerChannel {
  const count = (): void => {
    if (!meter.countMessage()) onFault(new Error(`more than ${MESSAGES_PER_SECOND} messages a second`));
  };
  worker.on('message', (value: unknown, handle: unknown) =>
    outsideFaultContext(() => {
      closeUnwanted(handle);
      count();
      const message = parseFromWorker(value);
      if (message === undefined) return;
      try {
        receive(message);
      } catch (error) {
        onFault(error);
      }
    }),
  );
  inspectInternalMessages(worker, { count, onFault });
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

/** A message of node:cluster, or of Node itself. */
interface InternalMessage {
  cmd?: unknown;
  act?: unknown;
  fd?: unknown;
  /** What is in an envelope. */
  msg?: unknown;
}

const ENVELOPE = 'NODE_HANDLE';

/**
 * Node makes a message and a socket or server of an envelope, and reports those. Of an envelope in an envelope it makes a
 * second owner of the handle, or fails: in both cases nothing is reported that could be closed. It sends none itself.
 */
const isForged = ({ cmd, msg }: InternalMessage): boolean =>
  cmd === ENVELOPE && (msg as InternalMessage | null | undefined)?.cmd === ENVELOPE;

/** Sockets that a worker may have opened by node:cluster at the same time. */
const MAX_SOCKETS = 64;

/**
 * Messages whose `cmd` begins with `NODE_` are Node's own and not reported by `message`, but a worker can send them as
 * well. `internalMessage` is not documented: should it go, their handles stay open until the supervisor ends, and such
 * messages are neither counted nor refused.
 */
function inspectInternalMessages(
  { process: child }: Worker,
  { count, onFault }: { readonly count: () => void; readonly onFault: (error: unknown) => void },
): void {
  let sockets = 0;
  // Before node:cluster acts on it.
  child.prependListener('internalMessage', (message: InternalMessage | null, handle: unknown) =>
    outsideFaultContext(() => {
      count();
      if (message === null) return closeUnwanted(handle);
      if (message.cmd !== ENVELOPE) closeUnwanted(handle);
      if (isForged(message)) {
        closeUnwanted(handle);
        message.msg = null;
        onFault(new Error('it sends a handle in a forged message of Node'));
      }
      if (message.act === 'close') sockets--;
      if (message.act !== 'queryServer') return;
      sockets++;
      const fault = faultOfRequest(message, sockets);
      if (fault === undefined) return;
      message.act = undefined;
      onFault(new Error(fault));
    }),
  );
}

/** Why a request to listen is not granted: node:cluster would take, and in the end close, any open descriptor. */
function faultOfRequest({ fd }: InternalMessage, sockets: number): string | undefined {
  if (sockets > MAX_SOCKETS) return `more than ${MAX_SOCKETS} listening sockets`;
  if (fd === undefined || fd === null || isActivated(fd)) return undefined;
  return `it asks to listen on ${typeof fd === 'number' ? `descriptor ${fd}` : 'a descriptor'} of the supervisor`;
}

/** A socket, a server or a raw handle that a worker has sent: the supervisor has no use for any. */
function closeUnwanted(handle: unknown): void {
  const { destroy, close } = (handle ?? {}) as { destroy?: () => void; close?: () => void };
  if (typeof destroy === 'function') destroy.call(handle);
  else if (typeof close === 'function') close.call(handle);
}
