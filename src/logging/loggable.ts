/**
 * Anything as plain data that can be logged, above all what was thrown: without secrets, bounded in depth and size. No
 * value makes these functions throw or changes under them: frozen errors, getters that throw, revoked proxies, cycles.
 *
 * pino's own serializer marks an error while it reads it, which throws where the error is frozen, and logs `undefined` as
 * nothing at all. Decision 0013 tells why no library does this.
 */
import { inspect, types } from 'node:util';
import { MAX_REASON_LENGTH } from '../protocol/limits.js';
import { isSecret, REDACTED, withoutSecrets } from './redaction.js';

/** Longest text, and longest stack, in characters. */
const TEXT = 2_000;
const STACK = 8_000;

/** How deep objects are looked into: the headers of a failed request of axios or got are at 4. */
const DEPTH = 7;

/** Fields of an object, and items of a list. */
export const ENTRIES = 50;

/** Values of a copy, and characters of its texts: from then on texts are cut to {@link LITTLE}. */
const VALUES = 300;
const CHARACTERS = 16_000;
const LITTLE = 50;

/** Errors that are caused by one another. */
const CAUSES = 8;

export const UNREADABLE = '[unreadable]';

/** An error as the log has it, in pino's form. */
export interface ErrorRecord {
  readonly type: string;
  /** Those of its causes follow, with colons between them. */
  readonly message: string;
  readonly stack: string;
  readonly [field: string]: unknown;
}

/** A property, or `otherwise` where it cannot be read. */
export function read(value: unknown, key: PropertyKey, otherwise?: unknown): unknown {
  try {
    return (value as Readonly<Record<PropertyKey, unknown>> | undefined | null)?.[key];
  } catch {
    return otherwise;
  }
}

/** Also for what may not be asked. */
export function isError(value: unknown): value is Error {
  try {
    return types.isNativeError(value) || value instanceof Error;
  } catch {
    return false;
  }
}

/**
 * A copy that consists of plain objects, lists, texts, numbers, booleans and null; nothing for functions.
 * @param name of the field that holds the value: what is a secret may depend on it
 */
export const loggable = (value: unknown, name = ''): unknown => createCopier().copy(value, name, 0);

/** Anything that was thrown, for the field `err` of a log line. */
export function errorRecord(thrown: unknown): ErrorRecord {
  if (isError(thrown)) return createCopier().record(thrown, 0);
  const message = thrownText(thrown);
  const value = loggable(thrown);
  // The message has all of a primitive value.
  const more = typeof value === 'object' && value !== null ? { thrown: value } : {};
  return { type: typeName(thrown), message, stack: message, ...more };
}

/** What was thrown, in one line of bounded length. */
export function errorLine(thrown: unknown): string {
  const text = isError(thrown) ? namedMessage(thrown) : thrownText(thrown);
  const line = text.split('\n').find(part => part.trim() !== '') ?? text;
  return line.slice(0, MAX_REASON_LENGTH);
}

/** What was thrown, with its stack where it has one: the last resort of a process without a logger. */
export const stackText = (thrown: unknown): string => errorRecord(thrown).stack;

/** The reason of an unhandled rejection: where it is no error, an error that says what it is. */
export function rejected(reason: unknown): unknown {
  if (isError(reason)) return reason;
  const how = reason === undefined ? 'without a reason' : `with ${valueText(reason)}`;
  const error = new Error(`a promise was rejected ${how}`);
  // Its stack would be that of this function.
  error.stack = '';
  return error;
}

/** Texts say themselves what is wrong. */
const thrownText = (thrown: unknown): string =>
  typeof thrown === 'string' && thrown.trim() !== '' ? text(thrown) : `${valueText(thrown)} was thrown`;

/** Any value in one line. */
function valueText(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol' || typeof value === 'bigint') return inspect(value);
  const plain = loggable(value);
  return plain === UNREADABLE
    ? 'an object that cannot be read'
    : text(inspect(plain, { breakLength: Infinity, compact: Infinity, depth: 3 }));
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  const name = read(read(value, 'constructor'), 'name');
  return typeof name === 'string' && name !== '' ? text(name) : 'Object';
}

function namedMessage(error: Error): string {
  const [name, message] = [read(error, 'name'), chainMessage(chainOf(error))];
  const isPlain = typeof name !== 'string' || name === 'Error' || read(error, 'message') === '';
  return (isPlain ? message : text(`${name}: ${message}`)) || typeName(error);
}

/** The messages of an error and its causes, without those that the error quotes itself. */
const chainMessage = (chain: readonly Error[]): string =>
  text(
    chain
      .map(messageOf)
      .reduce((all, part) => (all.includes(part) ? all : [all, part].filter(Boolean).join(': ')), ''),
  );

/** The error and what has caused it. */
function chainOf(error: Error): readonly Error[] {
  const chain: Error[] = [];
  for (let link: unknown = error; isError(link) && !chain.includes(link); link = read(link, 'cause')) {
    if (chain.length === CAUSES) break;
    chain.push(link);
  }
  return chain;
}

/** Node leaves the message of an AggregateError empty. */
function messageOf(error: Error): string {
  const message = read(error, 'message', 'an error that cannot be read');
  if (typeof message !== 'string') return message === undefined ? '' : valueText(message);
  return message === '' ? errorsOf(error).slice(0, 5).map(ownMessage).join('; ') : text(message);
}

/** Without looking further: an AggregateError may contain itself. */
function ownMessage(thrown: unknown): string {
  if (!isError(thrown)) return thrownText(thrown);
  const message = read(thrown, 'message');
  return typeof message === 'string' && message !== '' ? text(message) : typeName(thrown);
}

function errorsOf(error: Error): readonly unknown[] {
  const errors = read(error, 'errors');
  try {
    return Array.isArray(errors) ? firstOf(errors) : [];
  } catch {
    return [];
  }
}

/** Not by `slice`, which asks a list of an odd kind for its species, and not all of a list without end. */
const firstOf = (items: readonly unknown[]): readonly unknown[] =>
  Array.from({ length: Math.min(items.length, ENTRIES) }, (_item, index) => items[index]);

/** The stack, with a message of bounded length: the frames stand behind it. */
function stackOf(error: Error): string {
  const stack = read(error, 'stack');
  const message = read(error, 'message');
  if (typeof stack !== 'string' || stack === '') return `${typeName(error)}: ${messageOf(error)}`;
  const at = typeof message === 'string' && message.length > TEXT ? stack.indexOf(message) : -1;
  if (at < 0) return text(stack, STACK);
  const { length } = message as string;
  return text(`${stack.slice(0, at)}${cut(message as string, TEXT)}${stack.slice(at + length)}`, STACK);
}

const text = (value: string, limit = TEXT): string => withoutSecrets(cut(value, limit));

function cut(value: string, limit: number): string {
  const note = `… (${value.length} characters)`;
  return value.length > limit ? value.slice(0, Math.max(0, limit - note.length)) + note : value;
}

interface Copier {
  copy(value: unknown, name: string, depth: number): unknown;
  record(error: Error, depth: number): ErrorRecord;
}

/** One for each copy: it counts what it has copied. */
// oxlint-disable-next-line max-lines-per-function -- one recursion: each kind of value may hold any other, under one count
function createCopier(): Copier {
  let left = VALUES;
  let room = CHARACTERS;
  const above = new Set<object>();

  function copyText(value: string, limit = TEXT): string {
    const copied = text(value, Math.min(limit, Math.max(room, LITTLE)));
    room -= copied.length;
    return copied;
  }

  /** @param name of the field that holds the value */
  function copy(value: unknown, name: string, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return copyText(value, name === 'stack' ? STACK : TEXT);
      case 'bigint':
      case 'symbol':
        return String(value);
      case 'function':
        return undefined;
      case 'object':
        return value === null ? null : copyObject(value, name, depth);
      default:
        return value;
    }
  }

  function copyObject(value: object, name: string, depth: number): unknown {
    if (above.has(value)) return '[Circular]';
    if (depth >= DEPTH || left <= 0) return `[${typeName(value)}]`;
    above.add(value);
    try {
      return isError(value) ? record(value, depth) : contentOf(value, name, depth);
    } catch {
      return UNREADABLE;
    } finally {
      above.delete(value);
    }
  }

  function contentOf(value: object, name: string, depth: number): unknown {
    if (Array.isArray(value)) return copyList(value, name, depth);
    if (value instanceof Set) return copyList([...value], name, depth);
    if (value instanceof Map) return copyFields([...value], name, depth);
    if (value instanceof URLSearchParams) return copyText(`?${String(value)}`);
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value))
      return `[${typeName(value)}, ${value.byteLength} bytes]`;
    if (isEmitter(value)) return copyEmitter(value, depth);
    const json = toJson(value);
    return json === value ? copyFields(entriesOf(value), name, depth) : copy(json, name, depth + 1);
  }

  /** Requests, answers, sockets: of all that hangs on them, what says what they are. */
  function copyEmitter(value: object, depth: number): unknown {
    const known = EMITTER_FIELDS.map(field => [field, read(value, field)] as const);
    const fields = known.filter(([, content]) => content !== undefined && typeof content !== 'function');
    return fields.length === 0 ? `[${typeName(value)}]` : copyFields(fields, '', depth);
  }

  /** Names and values of headers may follow each other in a list (`rawHeaders`). */
  function copyList(items: readonly unknown[], name: string, depth: number): unknown {
    const isHeaders = /headers$/i.test(name);
    const copies = firstOf(items).map((item, index) => {
      const before: unknown = isHeaders ? items[index - 1] : undefined;
      left--;
      return typeof before === 'string' && isSecret(before, item)
        ? REDACTED
        : (copy(item, name, depth + 1) ?? null);
    });
    return items.length > ENTRIES ? [...copies, `… and ${items.length - ENTRIES} more`] : copies;
  }

  function copyFields(entries: Iterable<readonly [unknown, unknown]>, name: string, depth: number): object {
    const fields: [string, unknown][] = [];
    for (const [key, value] of entries) {
      if (fields.length === ENTRIES || left-- <= 0) {
        fields.push(['…', 'and more']);
        break;
      }
      const field = cut(String(key), 100);
      room -= field.length;
      fields.push([field, isSecret(field, value, name) ? REDACTED : copy(value, field, depth + 1)]);
    }
    return Object.fromEntries(fields);
  }

  function record(error: Error, depth: number): ErrorRecord {
    const chain = chainOf(error);
    const errors = errorsOf(error);
    const cause = read(error, 'cause');
    return {
      type: typeName(error),
      message: copyText(chainMessage(chain)),
      stack: copyText(chain.map(stackOf).join('\ncaused by: '), STACK),
      ...(errors.length > 0 ? { aggregateErrors: copyList(errors, 'errors', depth) } : {}),
      ...(cause === undefined || isError(cause) ? {} : { cause: copy(cause, 'cause', depth + 1) }),
      ...copyFields(fieldsOf(error), '', depth),
    };
  }

  return { copy, record };
}

const EMITTER_FIELDS = ['method', 'url', 'path', 'host', 'statusCode', 'statusMessage', 'headers'];

const isEmitter = (value: object): boolean =>
  typeof read(value, 'emit') === 'function' && typeof read(value, 'on') === 'function';

/** What an object says it is in JSON; itself where it says nothing. */
function toJson(value: object): unknown {
  const method = read(value, 'toJSON');
  try {
    return typeof method === 'function' ? (method as () => unknown).call(value) : value;
  } catch {
    return value;
  }
}

/** The own fields of an object, read one by one: one that cannot be read does not hide the others. */
function* entriesOf(value: object): Generator<readonly [string, unknown]> {
  for (const key of keysOf(value)) yield [key, read(value, key, UNREADABLE)];
}

/** The names of an object's own fields; none where they cannot be listed. */
export function keysOf(value: object): readonly string[] {
  try {
    return Object.keys(value);
  } catch {
    return [];
  }
}

/** What an error has beside what every error has. */
function* fieldsOf(error: Error): Generator<readonly [string, unknown]> {
  for (const entry of entriesOf(error))
    if (!['message', 'stack', 'cause', 'errors', 'type'].includes(entry[0])) yield entry;
}
