/** Which app of a file is meant. */
import { basename, extname } from 'node:path';
import { types } from 'node:util';
import type { InvalidValue } from '../../errors.js';
import { NotData } from './data.js';
import type { AppFile } from './read.js';
import { isSet, readField, type Entry } from './written.js';

/** The app that `only` names, or the only one; nothing where there is a problem. */
export function findEntry(
  { path, found }: AppFile,
  only: string | undefined,
  problems: InvalidValue[],
): Entry | undefined {
  if ('expected' in found) return void problems.push({ name: path, ...found });
  const description: unknown = descriptionIn(found.content);
  if (description instanceof NotData)
    return void problems.push({ name: path, expected: 'a description of an app', got: description.what });
  const entry = pick(entriesOf(description as Entry), path, only, problems);
  return entry === undefined ? undefined : (dataOf(entry, '', path, problems) as Entry);
}

/** The variables in `deploy.NAME.env`, if any: `--env NAME` takes them as well. */
export function findDeployed(
  { path, found }: AppFile,
  envName: string | undefined,
  problems: InvalidValue[],
): unknown {
  if (envName === undefined || !('content' in found)) return undefined;
  const { deploy } = descriptionIn(found.content) as { deploy?: Readonly<Record<string, unknown>> | null };
  const { env } = (deploy?.[envName] ?? {}) as Entry;
  return dataOf(env, `deploy.${envName}.env`, path, problems);
}

/** A part of the file without what is no data in it. */
function dataOf(value: unknown, name: string, path: string, problems: InvalidValue[]): unknown {
  const own: InvalidValue[] = [];
  const data = dataIn(value, name, own);
  problems.push(...own.map(problem => within(path, problem)));
  return data;
}

/** The value without what is no data; each such part is a problem. */
function dataIn(value: unknown, name: string, problems: InvalidValue[]): unknown {
  if (value instanceof NotData) {
    const expected = 'data: a text, a number, true, false, a list or a plain object';
    return void problems.push({ name, expected, got: value.what });
  }
  if (Array.isArray(value)) return value.map((part, index) => dataIn(part, `${name}[${index}]`, problems));
  if (typeof value !== 'object' || value === null || types.isRegExp(value)) return value;
  const parts = Object.entries(value).map(([key, part]) => [
    key,
    dataIn(part, name === '' ? key : `${name}.${key}`, problems),
  ]);
  return Object.fromEntries(parts);
}

/** Whether a file in JavaScript has a default export and nothing else that describes an app: PM2 does not look there. */
export function isByDefault(content: unknown): boolean {
  const { apps, pm2, script, default: exported } = (content ?? {}) as Entry;
  return isSet(exported) && ![apps, pm2, script].some(isSet);
}

/** What describes the apps, and how to deploy them. */
export const descriptionIn = (content: unknown): Entry =>
  ((isByDefault(content) ? (content as Entry)['default'] : content) ?? {}) as Entry;

/** PM2 takes `{ apps: [...] }`, `{ pm2: [...] }`, a list, or one app (API.js:940-954), with `deploy` among its fields. */
function entriesOf(description: Entry): readonly Entry[] {
  const listed = description['apps'] || description['pm2'] || description;
  if (Array.isArray(listed)) return listed.filter(isEntry);
  return isEntry(listed) ? [{ ...listed, deploy: undefined }] : [];
}

const isEntry = (value: unknown): value is Entry =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NotData);

function pick(
  entries: readonly Entry[],
  file: string,
  only: string | undefined,
  problems: InvalidValue[],
): Entry | undefined {
  const matching = only === undefined ? entries : entries.filter(entry => nameOf(entry) === only);
  const [entry, ...others] = matching;
  if (entry !== undefined && others.length === 0) return entry;
  const names = entries.map(nameOf).join(', ');
  problems.push(
    entries.length === 0
      ? { name: file, expected: 'a description of an app', got: undefined }
      : { name: '--only', expected: `the name of one app of ${basename(file)}: ${names}`, got: only },
  );
  return undefined;
}

/** The name of an app; PM2 calls one without a name after its program. */
export function nameOf(entry: Entry): string {
  const script = readField(entry, 'script', []) ?? '';
  return readField(entry, 'name', []) ?? basename(script, extname(script));
}

/** Names the file in front of the field, so that a problem stands out among those of the environment. */
export const within = (file: string, { name, ...rest }: InvalidValue): InvalidValue => ({
  name: `${basename(file)}: ${name}`,
  ...rest,
});
