/** Every answer that is not a success, as `application/problem+json` (RFC 9457) with the id of the request. */
import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Environment } from '../config.js';
import type { Logger } from '../utils/logger.js';

/** An error whose sentence is meant for the client. */
export class Problem extends Error {
  readonly status: number;
  readonly expose = true;
  /** Further members of the answer (RFC 9457, 3.2). */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(status: number, detail: string, members: Readonly<Record<string, unknown>> = {}) {
    super(detail);
    this.status = status;
    this.members = members;
  }
}

/** Refused requests come again after 1 to 3 seconds: not all in the same one. */
const RETRY_AFTER_S = { least: 1, spread: 3 } as const;

const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** No route matched: a URL that cannot be decoded is the client's mistake, any other is just not there. */
export const notFound: RequestHandler = request => {
  if (!isDecodable(request.path)) throw new Problem(400, 'The URL is not validly percent-encoded');
  throw new Problem(404, `There is nothing at ${request.path}`);
};

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** Answers whatever was thrown: errors that are meant for the client as they are, all others as a bare 500. */
export function problems(logger: Logger, environment: Environment): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const { status, detail } = told(error);
    if (status >= 500) logger.error({ err: error, requestId: request.id }, 'Request failed');
    // An answer that has begun cannot be taken back: Express then cuts the connection, so that the client notices.
    if (response.headersSent) return next(error);
    const stack = environment === 'development' && status >= 500 ? { stack: (error as Error).stack } : {};
    const members = error instanceof Problem ? error.members : {};
    const shown = environment === 'development' ? messageOf(error) : detail;
    answer(request, response, status, shown, { ...members, ...stack });
  };
}

/** Answers that this request is not handled now, and when to come again. */
export function refuse(request: Request, response: Response, detail: string): void {
  const seconds = RETRY_AFTER_S.least + Math.floor(Math.random() * RETRY_AFTER_S.spread);
  response.setHeader('Retry-After', seconds);
  answer(request, response, 503, detail, {});
}

function answer(
  request: Request,
  response: Response,
  status: number,
  detail: string | undefined,
  more: object,
): void {
  const text = JSON.stringify({
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Unknown error',
    status,
    ...(detail === undefined ? {} : { detail }),
    requestId: request.id,
    ...more,
  });
  // Express' `type` would look into a table of all types, which takes a new worker 10 ms to load.
  response.statusCode = status;
  response
    .setHeader('Content-Type', PROBLEM_TYPE)
    .setHeader('Content-Length', Buffer.byteLength(text))
    .end(text);
}

/** What a client is told: errors of Express and its parsers say themselves whether their sentence may be shown. */
function told(error: unknown): { readonly status: number; readonly detail: string | undefined } {
  const { status, statusCode, expose } = (error ?? {}) as {
    status?: unknown;
    statusCode?: unknown;
    expose?: unknown;
  };
  const claimed = [status, statusCode].find(
    code => Number.isInteger(code) && Number(code) >= 400 && Number(code) < 600,
  );
  const code = Number(claimed ?? 500);
  return { status: code, detail: code < 500 && expose !== false ? messageOf(error) : undefined };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
