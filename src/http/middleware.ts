/** What happens to every request before any route sees it: an id, the security headers, a line in the log. */
import type { RequestHandler } from 'express';
import type { Stand } from '../fast-path/constant-headers.js';
import type { InFlight } from '../observability/shared-state.js';
import { createAccessLog } from './access-log.js';
import { createIds, saneId } from './request-id.js';
import type { Logger } from '../utils/logger.js';

declare global {
  // Express' own way of extending its request.
  namespace Express {
    interface Request {
      /** Names this request in the answer and in the log; taken over from the client if it is sane. */
      id: string;
    }
  }
}

/** @param inFlight where requests are noted for the observer thread, if there is one */
export function observe(logger: Logger, stand: Stand, inFlight?: InFlight): RequestHandler {
  const nextId = createIds();
  const log = createAccessLog(logger);
  return (request, response, next) => {
    const startedAt = performance.now();
    const requestId = saneId(request.headers['x-request-id']) ?? nextId();
    request.id = requestId;
    stand(response, requestId);
    // Taken now: a router may change them on its way.
    const { method, originalUrl: url } = request;
    const place = inFlight?.begin(requestId, method, url, startedAt);
    response.on('close', () => {
      if (place !== undefined) inFlight?.end(place);
      const ms = Math.round((performance.now() - startedAt) * 10) / 10;
      log({ requestId, method, url, status: response.statusCode, ms, cut: !response.writableFinished });
    });
    next();
  };
}
