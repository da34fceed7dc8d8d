/**
 * Headers that stand on an answer without having been set one by one.
 *
 * Thirteen `setHeader` calls are among the dearest things that a request does: each is validated, lower-cased and
 * stored, and walked over again when Node makes the head. Without this file a request takes 1.34 times the CPU time on
 * Node 20, 1.32 on Node 24, 1.28 on Node 26 (decision 0005).
 *
 * Here their text is made once, and joined to the status line when Node makes the head. To handlers they look as if
 * they had been set: they can be read, and overridden by `setHeader`. Whoever changes them in another way, removes one
 * or appends to it, gets them all set one by one after all.
 *
 * Rests on `ServerResponse#_storeHeader(statusLine, headers)`, which is not documented, and the same in every Node
 * since 0.6. Where it is missing, {@link standOn} sets the headers one by one; `tests/fast-path` fails when that happens.
 */
import { ServerResponse } from 'node:http';
import type { Express, Response } from 'express';

/** Puts the standing headers and the request's id on an answer that has just begun. */
export type Stand = (response: Response, requestId: string) => void;

/** The two content types that Express gives by itself. */
export type ContentType = 'application/json; charset=utf-8' | 'text/html; charset=utf-8';

type HeaderValue = number | string | readonly string[] | undefined;

/** An answer, with what of Node's own is built upon and what is noted on it. */
interface Answer {
  /** The id of the request, as long as headers stand on this answer. */
  [ID]?: string | undefined;
  /** What {@link standBody} told of the body. */
  [TYPE]?: ContentType;
  [LENGTH]?: number;
  readonly headersSent: boolean;
  _storeHeader(statusLine: string, headers: object | null | undefined): void;
  writeHead(status: number, reason?: unknown, headers?: unknown): Answer;
  setHeader(name: string, value: HeaderValue): Answer;
  appendHeader(name: string, value: HeaderValue): Answer;
  removeHeader(name: string): void;
  hasHeader(name: string): boolean;
  getHeader(name: string): HeaderValue;
  getHeaders(): Record<string, HeaderValue>;
  getHeaderNames(): string[];
  getRawHeaderNames(): string[];
}

const ID = Symbol('request id');
const TYPE = Symbol('content type');
const LENGTH = Symbol('content length');

const plain = ServerResponse.prototype as unknown as Answer;

/** Whether this Node makes heads in the way that is built upon. */
export const canStand = typeof (plain as Partial<Answer>)._storeHeader === 'function';

/** The way that any Express and any Node allow, and that the fast one must be equal to. */
export function setOneByOne(headers: Readonly<Record<string, string>>): Stand {
  const entries = Object.entries(headers);
  return (response, requestId) => {
    response.setHeader('X-Request-Id', requestId);
    for (const [name, value] of entries) response.setHeader(name, value);
  };
}

/** Whether something has been said of the body already, by a handler or by {@link standBody}. */
export function isBodyKnown(response: Response): boolean {
  const answer = response as unknown as Answer;
  return (
    answer[TYPE] !== undefined ||
    plain.hasHeader.call(answer, 'content-type') ||
    plain.hasHeader.call(answer, 'content-length') ||
    plain.hasHeader.call(answer, 'transfer-encoding')
  );
}

/** Tells of the body that is about to be given to `end`, whose headers need not be set then. @returns whether it could */
export function standBody(response: Response, type: ContentType, length: number): boolean {
  const answer = response as unknown as Answer;
  if (answer[ID] === undefined) return false;
  answer[TYPE] = type;
  answer[LENGTH] = length;
  return true;
}

/** Prepares the answers of this app, and of all that are mounted on it. */
export function standOn(app: Express, headers: Readonly<Record<string, string>>): Stand {
  if (!canStand) return setOneByOne(headers);
  const constant = new Map(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]));
  const constantText = Object.entries(headers).map(line).join('');
  /** Every header that can stand, by its lower-case name. */
  const names = new Map(
    ['X-Request-Id', ...Object.keys(headers), 'Content-Type', 'Content-Length'].map(name => [
      name.toLowerCase(),
      name,
    ]),
  );

  /** The value of the header of that name that stands on this answer. */
  function value(answer: Answer, name: string): string | undefined {
    if (answer[ID] === undefined) return undefined;
    if (name === 'x-request-id') return answer[ID];
    if (name === 'content-type') return answer[TYPE];
    if (name === 'content-length') return answer[LENGTH]?.toString();
    return constant.get(name);
  }

  const stands = (answer: Answer, name: unknown): boolean =>
    typeof name === 'string' && value(answer, name.toLowerCase()) !== undefined;

  /** The headers that stand on this answer and were not set as well, by their lower-case names. */
  function standing(answer: Answer): (readonly [string, string])[] {
    const found: [string, string][] = [];
    for (const name of names.keys()) {
      const text = plain.hasHeader.call(answer, name) ? undefined : value(answer, name);
      if (text !== undefined) found.push([name, text]);
    }
    return found;
  }

  const rawName = ([name]: readonly [string, string]): string => names.get(name) ?? name;

  /** Sets all that stand, so that Node can do what a handler wants of it. */
  function setAll(answer: Answer): void {
    // Node refuses every change then.
    if (answer.headersSent) return;
    for (const header of standing(answer)) plain.setHeader.call(answer, rawName(header), header[1]);
    answer[ID] = undefined;
  }

  /** Whether one of those that stand was set as well: Node gives those that were set, by their lower-case names. */
  function isOverridden(own: object): boolean {
    for (const name in own) if (name !== 'content-length' && names.has(name)) return true;
    return false;
  }

  Object.assign(app.response, {
    _storeHeader(statusLine, own) {
      if (own !== undefined && own !== null && isOverridden(own)) setAll(this);
      const { [ID]: id, [TYPE]: type, [LENGTH]: length } = this;
      if (id === undefined) return plain._storeHeader.call(this, statusLine, own);
      const text = `${statusLine}X-Request-Id: ${id}\r\n${constantText}`;
      if (type === undefined) return plain._storeHeader.call(this, text, own);
      // Node must see the length, not only write it: whether it keeps an HTTP/1.0 connection hangs on it.
      let last = own;
      if (own === undefined || own === null) last = ['Content-Length', length];
      else if (!('content-length' in own)) plain.setHeader.call(this, 'Content-Length', String(length));
      plain._storeHeader.call(this, `${text}Content-Type: ${type}\r\n`, last);
    },
    writeHead(status, reason, more) {
      if (reason !== undefined || more !== undefined) setAll(this);
      return plain.writeHead.call(this, status, reason, more);
    },
    appendHeader(name, more) {
      if (stands(this, name)) setAll(this);
      return plain.appendHeader.call(this, name, more);
    },
    removeHeader(name) {
      if (stands(this, name)) setAll(this);
      plain.removeHeader.call(this, name);
    },
    hasHeader(name) {
      return plain.hasHeader.call(this, name) || stands(this, name);
    },
    getHeader(name) {
      return plain.getHeader.call(this, name) ?? value(this, name.toLowerCase());
    },
    getHeaders() {
      return Object.assign(plain.getHeaders.call(this), Object.fromEntries(standing(this)));
    },
    getHeaderNames() {
      return [...standing(this).map(([name]) => name), ...plain.getHeaderNames.call(this)];
    },
    getRawHeaderNames() {
      return [...standing(this).map(rawName), ...plain.getRawHeaderNames.call(this)];
    },
  } satisfies Partial<Answer> & ThisType<Answer>);

  return (response, requestId) => {
    (response as unknown as Answer)[ID] = requestId;
  };
}

const line = ([name, value]: readonly [string, string]): string => `${name}: ${value}\r\n`;
