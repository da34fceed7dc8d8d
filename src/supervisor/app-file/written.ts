/** The fields of one app as they are written in its file. */
import type { InvalidValue } from '../../errors.js';
import { camelCase, FOLLOWED, type Field } from './fields.js';

/** One app of an app file: its fields by the names under which they are written. */
export type Entry = Readonly<Record<string, unknown>>;

export type FieldName = keyof typeof FOLLOWED;
export type Value<K extends FieldName> = (typeof FOLLOWED)[K] extends Field<infer T> ? T : never;
/** @param fallback what holds without the field, in place of its default */
export type Read = <K extends FieldName>(name: K, fallback?: Value<K>) => Value<K>;

/** The names under which a field may stand, in the order in which PM2 looks at them. */
export const namesOf = (name: string, { aliases }: Field<unknown>): readonly string[] => [
  name,
  ...aliases,
  camelCase(name),
];

/** Whether something is written there: PM2 takes `null` and empty texts for "not set". */
export const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/** The name under which a field is set. */
const nameIn = (entry: Entry, name: FieldName): string | undefined =>
  namesOf(name, FOLLOWED[name]).find(alias => isSet(entry[alias]));

/** The raw value of a field; `undefined` if it is not set. */
export function rawField(entry: Entry, name: FieldName): unknown {
  const written = nameIn(entry, name);
  return written === undefined ? undefined : entry[written];
}

/**
 * The value of a field, or what holds without it; a value that cannot be used is a problem.
 * @param fallback what holds, in place of the field's default
 */
export function readField<K extends FieldName>(
  entry: Entry,
  name: K,
  problems: InvalidValue[],
  fallback = FOLLOWED[name].fallback as Value<K>,
): Value<K> {
  const field = FOLLOWED[name] as Field<unknown>;
  const written = nameIn(entry, name);
  if (written === undefined)
    return entry[name] === '' && field.empty !== field.fallback ? (field.empty as Value<K>) : fallback;
  const parsed = field.parse(entry[written]);
  if ('value' in parsed) return parsed.value as Value<K>;
  problems.push({ name: written, expected: parsed.expected, got: entry[written] });
  return fallback;
}
