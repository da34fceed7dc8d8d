/**
 * Whose fault an uncaught exception is. Node parses what comes over a worker's channel inside the supervisor, and
 * throws where it cannot be parsed or is no proper message of node:cluster; no event tells of that, only
 * `uncaughtException`. Everything that Node creates for a worker is therefore created in an asynchronous context of this
 * worker (AsyncLocalStorage), which still holds when the exception is caught. What the supervisor does because of a
 * worker's event runs outside of it: such exceptions are its own.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Takes the blame for an exception. @returns false if it cannot be this worker's, which has exited */
export type FaultHandler = (error: unknown) => boolean;

const context = new AsyncLocalStorage<FaultHandler | undefined>();

/** Exceptions from anything that `create` creates, now or later, are put to this handler. */
export const inFaultContext = <T>(handler: FaultHandler, create: () => T): T => context.run(handler, create);

export const outsideFaultContext = <T>(call: () => T): T => context.run(undefined, call);

/** For `uncaughtException`, while it is being handled. @returns whether a worker was at fault, and has been dealt with */
export function isWorkerFault(error: unknown): boolean {
  const handler = context.getStore();
  return handler !== undefined && outsideFaultContext(() => handler(error));
}
