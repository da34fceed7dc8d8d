/** The fields of one app as they are written in its file. */
import type { InvalidValue } from '../../errors.js';
import { camelCase, FOLLOWED, type Field } from './fields.js';

/** One app of an app file: its fields by the names under which they are written. */
export type Entry = Readonly<Record<string, unknown>>;

export type FieldName = keyof typeof FOLLOWED;
export type Value<K extends FieldName> = (typeof FOLLOWED)[K] extends Field<infer T> ? T : never;
export type Read = <K extends FieldName>(name: K) => Value<K>;

/** The names under which a field may stand, in the order in which PM2 looks at them. */
export const namesOf = (name: string, { aliases }: Field<unknown>): readonly string[] => [
  name,
  ...aliases,
  camelCase(name),
];

/** The value of a field, or what holds without it; a value that cannot be used is a problem. */
export function readField<K extends FieldName>(entry: Entry, name: K, problems: InvalidValue[]): Value<K> {
  const field = FOLLOWED[name] as Field<unknown>;
  const written = namesOf(name, field).find(alias => entry[alias] !== undefined && entry[alias] !== null);
  if (written === undefined) return field.fallback as Value<K>;
  const parsed = field.parse(entry[written]);
  if ('value' in parsed) return parsed.value as Value<K>;
  problems.push({ name: written, expected: parsed.expected, got: entry[written] });
  return field.fallback as Value<K>;
}
