/** What happens to every request before any route sees it: an id, the security headers, a line in the log. */
import type { RequestHandler } from 'express';
import type { Stand } from '../tuning/standing-headers.js';
import { createAccessLog } from '../utils/access-log.js';
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

/** What an id may look like that a client or a proxy sends: short, and harmless in a log line and a header. */
const SANE_ID = /^[A-Za-z0-9._~:/+=-]{1,128}$/;

/** The headers that helmet sets for an API, as of its version 8: nothing here is ever rendered as a page. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Origin-Agent-Cluster': '?1',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Download-Options': 'noopen',
  'X-Frame-Options': 'DENY',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'X-XSS-Protection': '0',
};

export function observe(logger: Logger, stand: Stand): RequestHandler {
  const nextId = idSource();
  const log = createAccessLog(logger);
  return (request, response, next) => {
    const startedAt = performance.now();
    const offered = request.headers['x-request-id'];
    const requestId = typeof offered === 'string' && SANE_ID.test(offered) ? offered : nextId();
    request.id = requestId;
    stand(response, requestId);
    // Taken now: a router may change them on its way.
    const { method, originalUrl: url } = request;
    response.on('close', () => {
      const ms = Math.round((performance.now() - startedAt) * 10) / 10;
      log({ requestId, method, url, status: response.statusCode, ms, cut: !response.writableFinished });
    });
    next();
  };
}

/**
 * Ids that no other worker gives: a random name for this process, and a number. They tell requests apart and protect
 * nothing, so that `node:crypto`, which takes 3 to 7 ms to load, is not needed.
 */
function idSource(): () => string {
  const process = Math.floor(Math.random() * 36 ** 8)
    .toString(36)
    .padStart(8, '0');
  let count = 0;
  return () => `${process}-${(count++).toString(36)}`;
}
