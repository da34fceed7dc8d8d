/** What every request gets before any route: an id, the security headers, a line in the log. */
import type { Request, RequestHandler } from 'express';
import type { StartAnswer } from '../fast-path/preset-headers.js';
import { REDACTED_QUERY } from '../config.js';
import { queryRedaction } from '../logging/redaction.js';
import type { Recorder } from '../observability/recorder.js';
import { createAccessLog } from './access-log.js';
import { createIds, saneId } from './request-id.js';
import { parseTraceparent, type TraceContext } from './trace-context.js';
import type { Logger } from '../utils/logger.js';
import { keepContextInEvents, runInRequest } from '../utils/request-context.js';

declare global {
  // Express' own way of extending its request.
  namespace Express {
    interface Request {
      /** Identifies this request in the answer and in the log; the client's own, if it is a valid one. */
      id: string;
      /** The trace it belongs to, if its caller says so. */
      trace: TraceContext | undefined;
    }
  }
}

export interface ObserveOptions {
  /** Where requests are noted for the observer thread, if there is one. */
  readonly recorder?: Recorder | undefined;
  /** Query parameters whose values the log does not have. */
  readonly redactedQuery?: readonly string[];
}

export function observe(
  logger: Logger,
  startAnswer: StartAnswer,
  { recorder, redactedQuery = REDACTED_QUERY }: ObserveOptions = {},
): RequestHandler {
  const nextId = createIds();
  const withoutSecrets = queryRedaction(redactedQuery);
  const log = createAccessLog(logger);
  return (request, response, next) => {
    const startedAt = performance.now();
    const requestId = saneId(request.headers['x-request-id']) ?? nextId();
    const trace = parseTraceparent(request.headers['traceparent']);
    request.id = requestId;
    request.trace = trace;
    startAnswer(response, requestId);
    // Taken now: a router may change them on its way.
    const { method, originalUrl: url } = request;
    const place = recorder?.begin(requestId, method, url, startedAt);
    response.on('close', () => {
      const exactMs = performance.now() - startedAt;
      if (place !== undefined) recorder?.end(place, request, response.statusCode, exactMs);
      const ms = Math.round(exactMs * 10) / 10;
      log({
        requestId,
        trace,
        method,
        url: withoutSecrets(url),
        status: response.statusCode,
        ms,
        cut: !response.writableFinished,
      });
    });
    next();
  };
}

/** From here on, lines that are logged carry the ids of their request. What comes before pays nothing for it. */
export const keepContext: RequestHandler = (request, _response, next) => {
  if (hasBody(request)) keepContextInEvents(request);
  runInRequest(request, next);
};

const hasBody = ({ headers }: Request): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
