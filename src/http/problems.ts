/** Every answer that is not a success, as `application/problem+json` (RFC 9457) with the id of the request. */
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Environment } from '../config.js';
import { errorRecord, isError, read, stackText } from '../logging/loggable.js';
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

/** Answers anything that was thrown: errors that are meant for the client as they are, all others by their status alone. */
export function problems(logger: Logger, environment: Environment): ErrorRequestHandler {
  const isDevelopment = environment === 'development';
  return (error: unknown, request, response, _next) => {
    const claimed = statusOf(error);
    const status = claimed ?? 500;
    const isLate = response.headersSent;
    if (status >= 500 || isLate)
      logger.error({ err: errorRecord(error), requestId: request.id }, 'Request failed');
    if (isLate) return cut(request, response);
    takeBack(response);
    if (claimed !== undefined) keepHeaders(response, read(error, 'headers'));
    answer(request, response, status, {
      detail: detailOf(error) ?? (isDevelopment ? errorRecord(error).message : undefined),
      ...(isError(error) && error instanceof Problem ? error.members : {}),
      ...(isDevelopment && status >= 500 ? { stack: stackText(error) } : {}),
    });
  };
}

/** An answer that has begun cannot be taken back: its connection is closed, so that the client notices. */
function cut(request: Request, response: Response): void {
  if (!response.writableEnded) request.socket.destroy();
}

/** What describes a body that is not sent now. */
const OF_A_BODY = [
  'Content-Encoding',
  'Content-Language',
  'Content-Location',
  'Content-Disposition',
  'Content-Range',
  'Accept-Ranges',
  'ETag',
  'Last-Modified',
  'Expires',
  'Transfer-Encoding',
  'Trailer',
] as const;

/** Removes what a handler has prepared for the answer that is not given: a cache must not keep a problem in its place. */
function takeBack(response: Response): void {
  for (const name of OF_A_BODY) if (response.hasHeader(name)) response.removeHeader(name);
  if (response.hasHeader('Cache-Control')) response.setHeader('Cache-Control', 'no-store');
}

/** Headers that an error has no say in: they belong to this answer and its connection, or come from another service. */
const NOT_OF_AN_ERROR = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'keep-alive',
  'set-cookie',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
]);

/** Sets the headers that an error brings, such as `Retry-After` and `Content-Range`; invalid ones are left out. */
function keepHeaders(response: Response, headers: unknown): void {
  try {
    for (const [name, value] of Object.entries(headers ?? {})) {
      if (isHeader(name, value)) response.setHeader(name, value);
    }
  } catch {
    // an object that cannot be read
  }
}

function isHeader(name: string, value: unknown): value is string | number | readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  try {
    validateHeaderName(name);
    for (const each of values) validateHeaderValue(name, each as string);
  } catch {
    return false;
  }
  const isText = values.every(each => typeof each === 'string' || typeof each === 'number');
  return isText && !NOT_OF_AN_ERROR.has(name.toLowerCase());
}

/** Answers that this request is not handled now, and when to come again. */
export function refuse(request: Request, response: Response, detail: string): void {
  const seconds = RETRY_AFTER_S.least + Math.floor(Math.random() * RETRY_AFTER_S.spread);
  response.setHeader('Retry-After', seconds);
  answer(request, response, 503, { detail });
}

/** Further members follow those of every problem. */
function answer(
  request: Request,
  response: Response,
  status: number,
  { detail, ...more }: { readonly detail: string | undefined },
): void {
  const title = STATUS_CODES[status] ?? 'Unknown error';
  const text = JSON.stringify({ type: 'about:blank', title, status, detail, requestId: request.id, ...more });
  response.statusCode = status;
  response.statusMessage = title;
  // Express' `type` would look into a table of all types, which takes a new worker 10 ms to load.
  response
    .setHeader('Content-Type', PROBLEM_TYPE)
    .setHeader('Content-Length', Buffer.byteLength(text))
    .end(text);
}

/** The status that an error asks for, as Express reads it. */
const statusOf = (error: unknown): number | undefined =>
  [read(error, 'status'), read(error, 'statusCode')].find(
    (code): code is number => Number.isInteger(code) && Number(code) >= 400 && Number(code) < 600,
  );

/** Only an error that says so is meant for the client: others may quote addresses, queries and keys. */
function detailOf(error: unknown): string | undefined {
  const message = read(error, 'expose') === true ? read(error, 'message') : undefined;
  return typeof message === 'string' ? message : undefined;
}
