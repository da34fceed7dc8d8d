/** pino, given nothing but plain data without secrets: what it reads itself may throw, or be something to keep quiet about. */
import pino, { type Bindings, type Logger, type LoggerOptions } from 'pino';
import { ENTRIES, errorLine, errorRecord, isError, keysOf, loggable, read, UNREADABLE } from './loggable.js';
import { isSecret, REDACTED, withoutSecrets } from './redaction.js';

/** Errors are plain records before pino sees them. */
const asItIs = (value: unknown): unknown => value;

/** The options of a logger whose lines are safe; {@link guardChildren} makes those of its children safe. */
export const SAFE_LINES = {
  serializers: { err: asItIs },
  hooks: {
    logMethod(args, method) {
      method.apply(this, loggableArguments(args, ownSerializers(this)));
    },
  },
} satisfies LoggerOptions;

type Serializers = Readonly<Record<string, (value: unknown) => unknown>>;

type Child = (this: object, bindings: object, options?: { readonly serializers?: Serializers }) => object;

/** pino asks no hook for what a child carries, nor for what a serializer of its own makes of a field. */
export function guardChildren(logger: Logger): void {
  const child = logger.child as unknown as Child;
  const guarded: Child = function (bindings, options = {}) {
    const { serializers = {} } = options;
    const ofParent = ownSerializers(this);
    const hasOwn: HasOwn = name => Object.hasOwn(serializers, name) || ofParent(name);
    return child.call(this, loggableFields(bindings, hasOwn), {
      ...options,
      serializers: { ...serializers, ...guardedSerializers(serializers) },
    });
  };
  logger.child = guarded as unknown as Logger['child'];
}

/** Their values are copied, and one that throws does not lose the field. */
const guardedSerializers = (serializers: Serializers): Serializers =>
  Object.fromEntries(
    Object.entries(serializers).map(([name, serialize]) => [
      name,
      value => {
        try {
          return copied(name, serialize(value));
        } catch {
          return field(name, value);
        }
      },
    ]),
  );

/** Whether a field has a serializer of its own, which gets its value as it is. */
type HasOwn = (name: string) => boolean;

function ownSerializers(logger: object): HasOwn {
  const all = (logger as Readonly<Record<symbol, Serializers>>)[pino.symbols.serializersSym] ?? {};
  return name => (all[name] ?? asItIs) !== asItIs;
}

/** The same arguments as plain data. None of them can make the logger throw. */
function loggableArguments<T extends unknown[]>(args: T, hasOwn: HasOwn): T {
  const [first, ...rest] = args as readonly unknown[];
  return [subject(first, hasOwn), ...message(first, rest), ...rest.slice(1).map(parameter)] as T;
}

/** An error without a message of its own says its own, as in pino. */
function message(first: unknown, [given]: readonly unknown[]): readonly unknown[] {
  if (given === undefined) return isError(first) ? [errorRecord(first).message] : [];
  return [typeof given === 'string' ? withoutSecrets(given) : parameter(given)];
}

/** The fields of a line, or its text. */
function subject(value: unknown, hasOwn: HasOwn): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (typeof value !== 'object' || value === null) return parameter(value);
  if (isError(value)) return loggableFields({ err: value }, hasOwn);
  if (isRequest(value)) return loggableFields({ req: value }, hasOwn);
  if (isResponse(value)) return loggableFields({ res: value }, hasOwn);
  return loggableFields(value, hasOwn);
}

const loggableFields = (fields: object, hasOwn: HasOwn): Bindings =>
  Object.fromEntries(
    keysOf(fields)
      .slice(0, ENTRIES)
      .map(key => {
        const content = read(fields, key, UNREADABLE);
        return [key, hasOwn(key) ? content : field(key, content)];
      }),
  );

/** What pino takes for a request, and for an answer. */
const isRequest = (value: object): boolean =>
  Boolean(read(value, 'method')) && Boolean(read(value, 'headers')) && Boolean(read(value, 'socket'));
const isResponse = (value: object): boolean => typeof read(value, 'setHeader') === 'function';

/** A field without a serializer of its own. */
const field = (name: string, value: unknown): unknown =>
  copied(name, name === 'req' || name === 'res' ? described(name, value) : value);

const copied = (name: string, value: unknown): unknown =>
  isSecret(name, value) ? REDACTED : loggable(value, name);

/** pino's own selection of a request's, or of an answer's, properties. */
function described(name: 'req' | 'res', value: unknown): unknown {
  try {
    return pino.stdSerializers[name](value as never);
  } catch {
    return value;
  }
}

/** What a `%` of the message stands for; an object that is none of those has no text of its own. */
function parameter(value: unknown): unknown {
  if (isError(value)) return errorLine(value);
  return typeof value === 'symbol' || typeof value === 'function' ? errorLine(value) : loggable(value);
}
