/**
 * How the content of an app file crosses from the process that evaluates it to the one that reads it: as JSON, with the
 * few values of app files that JSON has not.
 */

/** What an app file cannot consist of: a function, an instance of a class. */
export class NotData {
  /** `a function`, `a Promise`. */
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

/**
 * A list stands for everything that is no plain object: its first element says what. `undefined` is left out, and what
 * has a JSON form of its own (a date, a URL) is sent in that form, as PM2 does.
 *
 * The source text of this function is run in another process, so it uses nothing from outside.
 *
 * @throws RangeError for more than 100 levels (js-yaml's own limit), for each of which a reader calls itself; and for more
 *   than 8 MB, which aliases in YAML make of a few lines
 */
export function encode(content: unknown): string {
  const MAX_LEVELS = 100;
  const MAX_SIZE_MB = 8;
  /** What a value takes at least, in bytes. */
  const VALUE_SIZE = 100;
  const parents = new Set<object>();
  let size = 0;
  return JSON.stringify(encoded(content)) ?? 'null';

  function count(bytes: number): void {
    size += bytes;
    if (size > MAX_SIZE_MB * 2 ** 20) throw new RangeError(`more than ${MAX_SIZE_MB} MB`);
  }

  function encoded(value: unknown): unknown {
    count(VALUE_SIZE + (typeof value === 'string' ? value.length : 0));
    switch (typeof value) {
      case 'number':
        return Number.isFinite(value) ? value : ['number', String(value)];
      case 'bigint':
        return ['bigint', String(value)];
      case 'function':
      case 'symbol':
        return ['other', `a ${typeof value}`];
      case 'object':
        return value === null ? null : nested(value);
      default:
        return value;
    }
  }

  function nested(value: object): unknown {
    if (parents.has(value)) return ['other', 'a reference to itself'];
    if (parents.size >= MAX_LEVELS) throw new RangeError(`more than ${MAX_LEVELS} levels of nesting`);
    parents.add(value);
    const result = encodedObject(value);
    parents.delete(value);
    return result;
  }

  function encodedObject(value: object): unknown {
    if (Array.isArray(value)) return ['list', ...value.map(encoded)];
    if (Object.prototype.toString.call(value) === '[object RegExp]')
      return ['regexp', (value as RegExp).source, (value as RegExp).flags];
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') return encoded(toJSON.call(value));
    const prototype = Object.getPrototypeOf(value) as object | null;
    const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
    if (isPlain || value === process.env)
      return Object.fromEntries(
        Object.entries(value).map(([key, part]) => {
          count(key.length);
          return [key, encoded(part)];
        }),
      );
    return ['other', `a ${prototype.constructor?.name || 'class instance'}`];
  }
}

/** @throws SyntaxError for a text that {@link encode} has not made */
export const decode = (text: string): unknown => decoded(JSON.parse(text));

function decoded(value: unknown): unknown {
  if (Array.isArray(value)) return special(value as unknown[]);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, decoded(part)]));
}

function special([kind, ...parts]: readonly unknown[]): unknown {
  const [first = '', second] = parts.map(part => (typeof part === 'string' ? part : ''));
  switch (kind) {
    case 'list':
      return parts.map(decoded);
    case 'regexp':
      return new RegExp(first, second);
    case 'number':
      return Number(first);
    case 'bigint':
      return BigInt(first);
    case 'other':
      return new NotData(first);
    default:
      throw new SyntaxError('not an encoded app file');
  }
}
