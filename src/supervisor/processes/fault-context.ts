/**
 * Whose fault an uncaught exception is. Node parses what comes over a worker's channel inside the supervisor, and
 * throws where it cannot be parsed or is no proper message of node:cluster; no event reports that, only
 * `uncaughtException`. Everything that Node creates for a worker is therefore created in an asynchronous context of this
 * worker (AsyncLocalStorage), which still holds when the exception is caught. What the supervisor does because of a
 * worker's event runs outside of it: such exceptions are its own.
 */
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

export interface FaultHandlers {
  /** Takes the blame for an exception. @returns false if it cannot be this worker's, which has exited */
  onException(error: unknown): boolean;
  /** The system refuses to let it listen. */
  onListenError(error: ListenError): void;
  /** Its channel has been read, or something else has happened to it, which is rare. Must not throw. */
  onRead(): void;
}

export interface ListenError extends NodeJS.ErrnoException {
  readonly port?: number;
  readonly address?: string;
}

const context = new AsyncLocalStorage<FaultHandlers | undefined>();

/** Failures of anything that `create` creates, now or later, are put to these handlers. */
export const inFaultContext = <T>(handlers: FaultHandlers, create: () => T): T =>
  context.run(handlers, create);

export const outsideFaultContext = <T>(call: () => T): T => context.run(undefined, call);

/** A read that completes no message causes no event. */
createHook({ before: () => context.getStore()?.onRead() }).enable();

/** For `uncaughtException`, while it is being handled. @returns whether a worker was at fault, and has been dealt with */
export function isWorkerFault(error: unknown): boolean {
  const handlers = context.getStore();
  return handlers !== undefined && outsideFaultContext(() => handlers.onException(error));
}

/** node:cluster listens in the supervisor for a worker that calls `listen`, and reports a failure to that worker alone. */
subscribe('tracing:net.server.listen:error', message => {
  const handlers = context.getStore();
  const { error } = message as { readonly error: ListenError };
  if (handlers !== undefined) outsideFaultContext(() => handlers.onListenError(error));
});
