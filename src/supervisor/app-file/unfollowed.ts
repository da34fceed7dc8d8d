/** What an app file says that the native supervisor does not follow. */
import { basename, extname } from 'node:path';
import { nearest } from '../../utils/nearest.js';
import { camelCase, FOLLOWED, HOLDS_ANYWAY, IGNORED_FIELDS, LOG_FIELDS, type Field } from './fields.js';
import { isByDefault } from './entries.js';
import { isAppFileName, type AppFile } from './read.js';
import { isSet, namesOf, rawField, readField, type Entry } from './written.js';

/** What PM2 would not make of this file. */
export function fileWarnings({ path, found }: AppFile): string[] {
  const name = basename(path);
  return [
    ...(isAppFileName(path)
      ? []
      : [
          `PM2 takes ${name} for a program: the name of an app file in JavaScript ends in .config${extname(name)}`,
        ]),
    ...('content' in found && isByDefault(found.content)
      ? [`PM2 does not read the default export of ${name}: export apps by its name`]
      : []),
  ];
}

/** One sentence for each field that is not followed; silence would be a lie. */
export function fieldWarnings(entry: Entry): string[] {
  const found = Object.keys(entry).filter(
    name => isSet(entry[name]) && (!(name in HOLDS_ANYWAY) || entry[name] !== HOLDS_ANYWAY[name]),
  );
  const isNamed = (names: readonly string[], name: string): boolean =>
    names.some(known => known === name || camelCase(known) === name);
  const ignored = found.filter(name => isNamed(IGNORED_FIELDS, name));
  const logs = found.filter(name => isNamed(LOG_FIELDS, name));
  const unknown = found.filter(name => !isNamed(KNOWN, name) && !/^env_\S+$/.test(name));
  return [
    ...forkedByPm2(entry),
    ...(logs.length > 0 ? [`${logs.join(', ')} not followed: logs go to standard output`] : []),
    ...ignored.map(name => `${name} is not followed by the native supervisor`),
    ...unknown.map(name => `${name} is not a field of an app file${meant(name)}`),
    ...(typeof readField(entry, 'max_memory_restart', []) === 'object'
      ? ['max_memory_restart is a share of the memory limit: PM2 refuses an app file with such a value']
      : []),
  ];
}

/** `--env` with a name that the file does not know: PM2 goes on with a warning, too. */
export function environmentWarnings(entry: Entry, deployed: unknown, envName: string | undefined): string[] {
  if (envName === undefined || `env_${envName}` in entry || isSet(deployed)) return [];
  return [`--env ${envName}: the app file has no env_${envName}`];
}

/** Without `exec_mode`, PM2 decides by `instances` (Common.js:339-357). */
function forkedByPm2(entry: Entry): string[] {
  const isClustered = rawField(entry, 'instances') !== undefined || entry['instances'] === '';
  if (rawField(entry, 'exec_mode') !== undefined) return [];
  if (isClustered && readField(entry, 'instances', []) >= -1) return [];
  return ['exec_mode is not set: PM2 runs this app in fork mode, this supervisor in cluster mode'];
}

const KNOWN = [
  ...Object.entries(FOLLOWED).flatMap(([name, field]) => namesOf(name, field as Field<unknown>)),
  ...LOG_FIELDS,
  ...IGNORED_FIELDS,
];

function meant(name: string): string {
  const found = nearest(name, KNOWN);
  return found === undefined ? '' : `; did you mean ${found}?`;
}
