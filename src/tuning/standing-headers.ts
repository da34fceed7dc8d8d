/**
 * Headers that stand on an answer without having been set one by one.
 *
 * Thirteen `setHeader` calls are among the dearest things that a request does (decision 0005): each is validated,
 * lower-cased and stored, and walked over again when Node makes the head.
 * Here their text is made once, and joined to the status line when Node makes the head. To handlers they look as if
 * they had been set: they can be read, overridden and removed.
 *
 * Rests on `ServerResponse#_storeHeader(statusLine, headers)`, which is not documented, and the same in every Node
 * since 0.6. Where it is missing, {@link standOn} sets the headers one by one; `tests/tuning` fails when that happens.
 */
import { ServerResponse } from 'node:http';
import type { Express, Response } from 'express';

/** Puts the standing headers and the request's id on an answer that has just begun. */
export type Stand = (response: Response, requestId: string) => void;

type HeaderValue = number | string | readonly string[] | undefined;

/** An answer, with what of Node's own is built upon and what is noted on it. */
interface Answer {
  /** The id of the request, once the headers stand on this answer. */
  [ID]?: string;
  /** The content type, where {@link standType} gave it. */
  [TYPE]?: ContentType;
  /** Lower-case names of standing headers that a handler removed. */
  [REMOVED]?: Set<string>;
  /** What Node counted in `end`, and says in the head if nobody else has. */
  readonly _contentLength?: number | null;
  _storeHeader(statusLine: string, headers: object | undefined): void;
  getHeader(name: string): HeaderValue;
  getHeaders(): Record<string, HeaderValue>;
  getHeaderNames(): string[];
  hasHeader(name: string): boolean;
  removeHeader(name: string): void;
}

const ID = Symbol('request id');
const TYPE = Symbol('content type');
const REMOVED = Symbol('removed');

const ID_NAME = 'X-Request-Id';

/** Standing headers whose values differ from answer to answer. */
const OTHERS = new Set(['x-request-id', 'content-type']);

/** The two content types that Express gives by itself. */
export type ContentType = 'application/json; charset=utf-8' | 'text/html; charset=utf-8';

const plain = ServerResponse.prototype as unknown as Answer;

/** Whether this Node makes heads in the way that is built upon. */
export const canStand = typeof (plain as Partial<Answer>)._storeHeader === 'function';

/** The way that any Express and any Node allow, and that the fast one must be equal to. */
export function setOneByOne(headers: Readonly<Record<string, string>>): Stand {
  const entries = Object.entries(headers);
  return (response, requestId) => {
    response.setHeader(ID_NAME, requestId);
    for (const [name, value] of entries) response.setHeader(name, value);
  };
}

/** Whether a handler has set this header itself, by its lower-case name; standing ones do not count. */
export function hasOwnHeader(response: Response, name: string): boolean {
  return plain.hasHeader.call(response as unknown as Answer, name);
}

/** Gives an answer its content type, as a standing header. @returns whether it could */
export function standType(response: Response, type: ContentType): boolean {
  const answer = response as unknown as Answer;
  if (answer[ID] === undefined) return false;
  answer[TYPE] = type;
  return true;
}

/** Prepares the answers of this app, and of all that are mounted on it. */
export function standOn(app: Express, headers: Readonly<Record<string, string>>): Stand {
  if (!canStand) return setOneByOne(headers);
  const constant = new Map(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), { name, value }]),
  );
  const constantText = [...constant.values()].map(line).join('');

  /** The headers that stand on this answer, by their lower-case names. */
  function standing(answer: Answer): Map<string, Header> {
    if (answer[ID] === undefined) return new Map();
    const found = new Map([[ID_NAME.toLowerCase(), { name: ID_NAME, value: answer[ID] }], ...constant]);
    if (answer[TYPE] !== undefined) {
      found.set('content-type', { name: 'Content-Type', value: answer[TYPE] });
      if (typeof answer._contentLength === 'number')
        found.set('content-length', { name: 'Content-Length', value: String(answer._contentLength) });
    }
    for (const name of answer[REMOVED] ?? []) found.delete(name);
    return found;
  }

  /** Their text; what a handler set itself counts instead. */
  function head(answer: Answer, id: string, own: object | undefined): string {
    const type = answer[TYPE];
    if (answer[REMOVED] === undefined && !names(own).some(name => constant.has(name) || OTHERS.has(name)))
      return `${constantText}${type === undefined ? '' : `Content-Type: ${type}\r\n`}${ID_NAME}: ${id}\r\n`;
    const left = standing(answer);
    left.delete('content-length'); // Node's own part
    for (const name of names(own)) left.delete(name);
    return [...left.values()].map(line).join('');
  }

  Object.assign(app.response, {
    _storeHeader(this: Answer, statusLine: string, own: object | undefined) {
      const id = this[ID];
      plain._storeHeader.call(this, id === undefined ? statusLine : statusLine + head(this, id, own), own);
    },
    getHeader(this: Answer, name: string) {
      return plain.getHeader.call(this, name) ?? standing(this).get(name.toLowerCase())?.value;
    },
    hasHeader(this: Answer, name: string) {
      return plain.hasHeader.call(this, name) || standing(this).has(name.toLowerCase());
    },
    getHeaderNames(this: Answer) {
      return [...new Set([...standing(this).keys(), ...plain.getHeaderNames.call(this)])];
    },
    getHeaders(this: Answer) {
      const all = Object.create(null) as Record<string, HeaderValue>;
      for (const [name, { value }] of standing(this)) all[name] = value;
      return Object.assign(all, plain.getHeaders.call(this));
    },
    removeHeader(this: Answer, name: string) {
      plain.removeHeader.call(this, name);
      if (standing(this).has(name.toLowerCase())) (this[REMOVED] ??= new Set()).add(name.toLowerCase());
    },
  });

  return (response, requestId) => {
    (response as unknown as Answer)[ID] = requestId;
  };
}

interface Header {
  readonly name: string;
  readonly value: string;
}

const line = ({ name, value }: Header): string => `${name}: ${value}\r\n`;

const NONE: readonly string[] = [];

/**
 * The lower-case names of the headers that Node is about to write: nothing, an object, a flat array or an array of
 * pairs, as `writeHead` takes them.
 */
function names(headers: object | undefined): readonly string[] {
  if (headers === undefined || headers === null) return NONE;
  if (!Array.isArray(headers)) return Object.keys(headers).map(name => name.toLowerCase());
  const list = headers as readonly unknown[];
  const flat = Array.isArray(list[0])
    ? (list as readonly unknown[][]).map(([name]) => name)
    : list.filter((_item, index) => index % 2 === 0);
  return flat.map(name => String(name).toLowerCase());
}
