/**
 * Preset headers: on an answer without a `setHeader` call for each.
 *
 * Thirteen `setHeader` calls are among the most expensive things that a request does: each is validated, lower-cased and
 * stored, and walked over again when Node makes the head. Without this file a request takes 1.34 times the CPU time on
 * Node 20, 1.32 on Node 24, 1.28 on Node 26 (decision 0005).
 *
 * Here their text is made once, and joined to the status line when Node makes the head. Handlers see them as if they
 * had been set: they can read them, and override them with `setHeader`. When a handler changes them in another way
 * (removes one, appends to one), all of them are set one by one.
 *
 * Rests on `ServerResponse#_storeHeader(statusLine, headers)`, which is not documented, and the same in every Node
 * since 0.6. Where it is missing, {@link presetHeaders} sets the headers one by one; `tests/fast-path` fails when that happens.
 */
import { ServerResponse } from 'node:http';
import type { Express, Response } from 'express';

/** Puts the preset headers and the request's id on an answer that has just begun. */
export type StartAnswer = (response: Response, requestId: string) => void;

/** The two content types that Express gives by itself. */
export type ContentType = 'application/json; charset=utf-8' | 'text/html; charset=utf-8';

type HeaderValue = number | string | readonly string[] | undefined;

/** An answer, with what of Node's own is built upon and what is noted on it. */
interface Answer {
  /** The id of the request, as long as this answer has preset headers. */
  [ID]?: string | undefined;
  /** What {@link presetBody} was given. */
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
export const canPreset = typeof (plain as Partial<Answer>)._storeHeader === 'function';

/** The way of any Express and any Node; the fast one must give the same answers. */
export function setEachHeader(headers: Readonly<Record<string, string>>): StartAnswer {
  const entries = Object.entries(headers);
  return (response, requestId) => {
    response.setHeader('X-Request-Id', requestId);
    for (const [name, value] of entries) response.setHeader(name, value);
  };
}

/** Whether a handler, or {@link presetBody}, has set a header of the body already. */
export function isBodyKnown(response: Response): boolean {
  const answer = response as unknown as Answer;
  return (
    answer[TYPE] !== undefined ||
    plain.hasHeader.call(answer, 'content-type') ||
    plain.hasHeader.call(answer, 'content-length') ||
    plain.hasHeader.call(answer, 'transfer-encoding')
  );
}

/** Beyond ASCII: where a character is not a byte in every encoding. */
const WIDE = /[^\u0000-\u007f]/;

/**
 * Whether a header that was set, or the status message, has characters beyond ASCII. Node writes a head as latin1, but as
 * UTF-8 when it is joined with a text body.
 */
export function hasWideHeaders(response: Response): boolean {
  // `undefined` until a handler sets it, although the types promise a value.
  const message: string | undefined = response.statusMessage;
  return (
    (message !== undefined && WIDE.test(message)) ||
    plain.getHeaderNames
      .call(response as unknown as Answer)
      .some(name => WIDE.test(String(plain.getHeader.call(response as unknown as Answer, name))))
  );
}

/** Presets the headers of the body that `end` is about to get. @returns false for an answer without preset headers */
export function presetBody(response: Response, type: ContentType, length: number): boolean {
  const answer = response as unknown as Answer;
  if (answer[ID] === undefined) return false;
  answer[TYPE] = type;
  answer[LENGTH] = length;
  return true;
}

/** Prepares the answers of this app, and of all that are mounted on it. */
export function presetHeaders(app: Express, headers: Readonly<Record<string, string>>): StartAnswer {
  if (!canPreset) return setEachHeader(headers);
  Object.assign(app.response, answerMethods(createPreset(headers)));
  return (response, requestId) => {
    (response as unknown as Answer)[ID] = requestId;
  };
}

/** The preset headers of an app's answers: the constant ones, the request's id, and what {@link presetBody} knows. */
interface Preset {
  /** The constant headers as lines of a head. */
  readonly text: string;
  has(answer: Answer, name: unknown): boolean;
  /** The value of the header of this lower-case name. */
  value(answer: Answer, name: string): string | undefined;
  /** The headers that were not set as well, by their lower-case names. */
  entries(answer: Answer): (readonly [string, string])[];
  rawName(lowerCase: string): string;
  /** Whether one of them was set as well: Node gives those that were set, by their lower-case names. */
  isOverridden(own: object): boolean;
}

function createPreset(headers: Readonly<Record<string, string>>): Preset {
  const constant = new Map(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]));
  /** Every header that can be preset, by its lower-case name. */
  const names = new Map(
    ['X-Request-Id', ...Object.keys(headers), 'Content-Type', 'Content-Length'].map(name => [
      name.toLowerCase(),
      name,
    ]),
  );

  function value(answer: Answer, name: string): string | undefined {
    if (answer[ID] === undefined) return undefined;
    if (name === 'x-request-id') return answer[ID];
    if (name === 'content-type') return answer[TYPE];
    if (name === 'content-length') return answer[LENGTH]?.toString();
    return constant.get(name);
  }

  return {
    text: Object.entries(headers).map(line).join(''),
    value,
    has: (answer, name) => typeof name === 'string' && value(answer, name.toLowerCase()) !== undefined,
    entries(answer) {
      const found: [string, string][] = [];
      for (const name of names.keys()) {
        const text = plain.hasHeader.call(answer, name) ? undefined : value(answer, name);
        if (text !== undefined) found.push([name, text]);
      }
      return found;
    },
    rawName: lowerCase => names.get(lowerCase) ?? lowerCase,
    isOverridden(own) {
      for (const name in own) if (name !== 'content-length' && names.has(name)) return true;
      return false;
    },
  };
}

/** Sets all of them, so that Node can do what a handler wants. */
function setAll(answer: Answer, preset: Preset): void {
  // Node refuses every change then.
  if (answer.headersSent) return;
  for (const [name, text] of preset.entries(answer)) plain.setHeader.call(answer, preset.rawName(name), text);
  answer[ID] = undefined;
}

/** The methods of an answer with preset headers, in place of Node's. */
function answerMethods(preset: Preset): Partial<Answer> & ThisType<Answer> {
  return {
    _storeHeader(statusLine, own) {
      if (own !== undefined && own !== null && preset.isOverridden(own)) setAll(this, preset);
      const { [ID]: id, [TYPE]: type, [LENGTH]: length } = this;
      if (id === undefined) return plain._storeHeader.call(this, statusLine, own);
      const text = `${statusLine}X-Request-Id: ${id}\r\n${preset.text}`;
      if (type === undefined) return plain._storeHeader.call(this, text, own);
      // Node must see the length, not only write it: whether it keeps an HTTP/1.0 connection depends on it.
      let last = own;
      if (own === undefined || own === null) last = ['Content-Length', length];
      else if (!('content-length' in own)) plain.setHeader.call(this, 'Content-Length', String(length));
      plain._storeHeader.call(this, `${text}Content-Type: ${type}\r\n`, last);
    },
    writeHead(status, reason, more) {
      if (reason !== undefined || more !== undefined) setAll(this, preset);
      return plain.writeHead.call(this, status, reason, more);
    },
    appendHeader(name, more) {
      if (preset.has(this, name)) setAll(this, preset);
      return plain.appendHeader.call(this, name, more);
    },
    removeHeader(name) {
      if (preset.has(this, name)) setAll(this, preset);
      plain.removeHeader.call(this, name);
    },
    hasHeader(name) {
      return plain.hasHeader.call(this, name) || preset.has(this, name);
    },
    getHeader(name) {
      return plain.getHeader.call(this, name) ?? preset.value(this, name.toLowerCase());
    },
    getHeaders() {
      return Object.assign(plain.getHeaders.call(this), Object.fromEntries(preset.entries(this)));
    },
    getHeaderNames() {
      return [...preset.entries(this).map(([name]) => name), ...plain.getHeaderNames.call(this)];
    },
    getRawHeaderNames() {
      return [
        ...preset.entries(this).map(([name]) => preset.rawName(name)),
        ...plain.getRawHeaderNames.call(this),
      ];
    },
  };
}

const line = ([name, value]: readonly [string, string]): string => `${name}: ${value}\r\n`;
