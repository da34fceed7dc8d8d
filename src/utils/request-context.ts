/**
 * Which request the code that runs now belongs to, also after `await` and in modules that know nothing of requests: so
 * every line that a handler logs carries the ids of its request (decision 0012).
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Request } from 'express';

/** The ids of a request, by the names of OpenTelemetry. */
export interface RequestContext {
  /** A text; packages such as pino-http declare other types for it. */
  readonly id: unknown;
  readonly trace: { readonly traceId: string; readonly spanId: string } | undefined;
}

/** One for the process: a module beside the worker's bundle has another copy of this file. */
const KEY = Symbol.for('cabe-arena-api.request');
const shared = globalThis as { [KEY]?: AsyncLocalStorage<RequestContext | undefined> };
const current = (shared[KEY] ??= new AsyncLocalStorage());

/** Runs a function, and everything it starts, for this request. */
export const runInRequest = (request: RequestContext, call: () => void): void => current.run(request, call);

/** Runs a function, and everything it starts, for the worker itself, not for the request that caused it. */
export const runOutsideRequests = (call: () => void): void => current.run(undefined, call);

/**
 * Events of a request's body come from its connection, which knows no request: `data`, `end` and what is piped
 * would lose the context.
 */
export function keepContextInEvents(request: Request): void {
  const emit = request.emit.bind(request) as (...event: unknown[]) => boolean;
  request.emit = (...event: unknown[]) => current.run(request, emit, ...event);
}

/** The fields of the request that runs, for a line of the log; nothing outside of requests. */
export function requestFields(): Readonly<Record<string, unknown>> | undefined {
  const request = current.getStore();
  if (request === undefined) return undefined;
  const { id: requestId, trace } = request;
  return trace === undefined ? { requestId } : { requestId, trace_id: trace.traceId, span_id: trace.spanId };
}
