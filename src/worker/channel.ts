/**
 * The worker's end of the IPC channel: every message to or from its supervisor passes here. Messages of the app's own
 * are left alone.
 */
import cluster from 'node:cluster';
import { parseToWorker, type FromWorker, type Pm2Metrics, type ToWorker } from '../protocol/messages.js';

/** Messages by their type; `shutdown` is its own. */
type Messages = { shutdown: 'shutdown' } & {
  [M in Exclude<ToWorker, string> as M['type']]: M;
};

/** A TCP handle that came with a message. */
export interface Handle {
  close(): void;
}

type Handler<T extends keyof Messages> = (message: Messages[T], handle: Handle | undefined) => void;

export interface Channel {
  readonly isConnected: boolean;
  /** Sends; a message that cannot be delivered is dropped, the loss of the channel follows. `done` in either case. */
  send(message: FromWorker | Pm2Metrics, done?: () => void): void;
  /** Calls back for messages of this type, instead of an earlier callback; `off` ends it. */
  on<T extends keyof Messages>(type: T, handler: Handler<T>): void;
  off(type: keyof Messages): void;
  /** Calls back when the supervisor has gone without asking this worker to disconnect. */
  onLost(lost: () => void): void;
}

/** The part of `process` that is a channel; tests bring their own. */
export interface IpcPort {
  readonly connected: boolean;
  readonly send?: (message: unknown, handle: undefined, options: undefined, done: () => void) => unknown;
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  prependListener(event: 'disconnect', listener: () => void): unknown;
}

export function createChannel(port: IpcPort = process): Channel {
  const handlers = new Map<keyof Messages, Handler<never>>();
  let isListening = false;

  function receive(value: unknown, handle: unknown): void {
    const message = parseToWorker(value);
    if (message === undefined) return;
    const handler = handlers.get(typeof message === 'string' ? message : message.type);
    if (handler === undefined) (handle as Handle | undefined)?.close();
    else handler(message as never, handle as Handle | undefined);
  }

  return {
    get isConnected() {
      return port.connected;
    },
    send(message, done = () => undefined) {
      if (port.send === undefined || !port.connected) return done();
      port.send(message, undefined, undefined, () => done());
    },
    on(type, handler) {
      // A listener keeps the channel open, and with it the process: it is added with the first handler.
      if (!isListening) port.on('message', receive);
      isListening = true;
      handlers.set(type, handler);
    },
    off: type => void handlers.delete(type),
    onLost: lost => whenLost(port, lost),
  };
}

/**
 * node:cluster ends a worker that loses its supervisor at once and with code 0, its requests unanswered, unless
 * `exitedAfterDisconnect` is set; it looks in a `disconnect` listener of its own, so ours must come before it. PM2
 * emits one such event itself, while the channel is still open: that one means nothing.
 */
function whenLost(port: IpcPort, lost: () => void): void {
  // A message that an app sends to a supervisor which died a moment ago must not fail the worker: `disconnect` follows.
  cluster.worker?.on('error', () => undefined);
  port.prependListener('disconnect', () => {
    if (port.connected || cluster.worker?.exitedAfterDisconnect === true) return;
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    lost();
  });
}
