/**
 * The supervisor's end of the IPC channel of one worker: every message to or from it passes here. A worker may send
 * anything; what is no message of ours is ignored, and what breaks the channel is that worker's fault.
 */
import type { Worker } from 'node:cluster';
import { parseFromWorker, type FromWorker, type ToWorker } from '../../protocol/messages.js';
import { MESSAGES_PER_SECOND, type ChannelMeter } from './channel-limits.js';
import { followClusterMessages, type ClusterMessage } from './cluster-messages.js';
import { outsideFaultContext } from './fault-context.js';
import { closeHandle, closeReceivedHandles } from './received-handles.js';
import type { TcpHandle } from './tcp-handles.js';

export interface WorkerChannel {
  readonly isConnected: boolean;
  /** A message that cannot be delivered is dropped: the exit of the worker follows. */
  send(message: ToWorker, handle?: TcpHandle): void;
}

export interface ChannelNeeds {
  readonly meter: ChannelMeter;
  /** Whether it has misbehaved or exited. */
  isOver(): boolean;
  /** Errors that it throws are the worker's fault, too. */
  receive(message: FromWorker): void;
  onFault(error: unknown): void;
}

export function openChannel(worker: Worker, needs: ChannelNeeds): WorkerChannel {
  const { meter, receive, onFault } = needs;
  const count = (): void => {
    if (!meter.countMessage()) onFault(new Error(`more than ${MESSAGES_PER_SECOND} messages a second`));
  };
  worker.on('message', (value: unknown, handle: unknown) =>
    outsideFaultContext(() => {
      closeHandle(handle);
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
  inspectInternalMessages(worker, { ...needs, count });
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

/** A message of Node itself, or of node:cluster. */
interface InternalMessage extends ClusterMessage {
  cmd?: unknown;
  /** What is in an envelope, and what Node is to make of its handle. */
  msg?: unknown;
  type?: unknown;
}

const ENVELOPE = 'NODE_HANDLE';

/** Node sends no envelope in an envelope. */
const isForged = ({ cmd, msg }: InternalMessage): boolean =>
  cmd === ENVELOPE && (msg as InternalMessage | null | undefined)?.cmd === ENVELOPE;

const isReceipt = ({ cmd }: InternalMessage): boolean =>
  cmd === 'NODE_HANDLE_ACK' || cmd === 'NODE_HANDLE_NACK';

/** Node throws at a receipt when it awaits none; this is how it knows. */
const isAwaited = (child: object): boolean => Reflect.get(child, '_handleQueue') !== null;

/**
 * Messages whose `cmd` begins with `NODE_` are Node's own and not reported by `message`, but a worker can send them as
 * well. `internalMessage` is not documented: should it go, such messages are neither counted nor refused.
 */
function inspectInternalMessages(
  { process: child }: Worker,
  { count, isOver, onFault }: Pick<ChannelNeeds, 'isOver' | 'onFault'> & { readonly count: () => void },
): void {
  closeReceivedHandles(child);
  const ofCluster = followClusterMessages(child, isOver);
  // Before node:cluster acts on it.
  child.prependListener('internalMessage', (message: InternalMessage | null, handle: unknown) =>
    outsideFaultContext(() => {
      count();
      closeHandle(handle);
      if (message === null) return;
      if (isForged(message)) {
        message.msg = null;
        onFault(new Error('it sends a handle in a forged message of Node'));
      }
      // Node makes nothing of it, and passes it on as it is.
      if (message.cmd === ENVELOPE) message.type = 'net.Native';
      if (isReceipt(message) && !isAwaited(child)) {
        message.cmd = undefined;
        onFault(new Error('it acknowledges a handle that it was not sent'));
      }
      if (message.cmd !== 'NODE_CLUSTER') return;
      const fault = ofCluster.inspect(message);
      if (fault !== undefined) onFault(new Error(fault));
    }),
  );
}
