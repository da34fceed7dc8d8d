/** What an app file says that the native supervisor does not follow. */
import { camelCase, FOLLOWED, HOLDS_ANYWAY, IGNORED_FIELDS, LOG_FIELDS, type Field } from './fields.js';
import { namesOf, readField, type Entry } from './written.js';

/** One sentence for each field that is not followed; silence would be a lie. */
export function fieldWarnings(entry: Entry, envName: string | undefined): string[] {
  const found = Object.keys(entry).filter(
    name => !(name in HOLDS_ANYWAY) || entry[name] !== HOLDS_ANYWAY[name],
  );
  const isNamed = (names: readonly string[], name: string): boolean =>
    names.some(known => known === name || camelCase(known) === name);
  const ignored = found.filter(name => isNamed(IGNORED_FIELDS, name));
  const logs = found.filter(name => isNamed(LOG_FIELDS, name));
  const unknown = found.filter(name => !isNamed(KNOWN, name) && !/^env_\S+$/.test(name));
  return [
    ...(entry['exec_mode'] === undefined && entry['execMode'] === undefined
      ? ['exec_mode is not set; running in cluster mode']
      : []),
    ...(logs.length > 0 ? [`${logs.join(', ')} not followed: logs go to standard output`] : []),
    ...ignored.map(name => `${name} is not followed by the native supervisor`),
    ...unknown.map(name => `${name} is not a field of an app file; did you mean ${nearest(name)}?`),
    ...(typeof readField(entry, 'max_memory_restart', []) === 'object'
      ? ['max_memory_restart is a share of the memory limit: PM2 refuses an app file with such a value']
      : []),
    ...(envName !== undefined && entry[`env_${envName}`] === undefined
      ? [`--env ${envName}: the app file has no env_${envName}`]
      : []),
  ];
}

const KNOWN = [
  ...Object.entries(FOLLOWED).flatMap(([name, field]) => namesOf(name, field as Field<unknown>)),
  ...LOG_FIELDS,
  ...IGNORED_FIELDS,
];

function nearest(name: string): string {
  // Loaded only where something is misspelt.
  const { closest } = require('fastest-levenshtein') as typeof import('fastest-levenshtein');
  return closest(name, KNOWN);
}
