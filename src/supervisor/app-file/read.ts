/** Reads an app file of any format anew. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { YAMLException } from 'js-yaml';
import { decode, encode } from './data.js';
import { evaluateFile, type Evaluated, type EvaluateOptions, type Found } from './evaluate.js';

/** An app file as it was read. */
export interface AppFile extends Evaluated {
  /** Absolute. */
  readonly path: string;
}

/** The default app file: in the folder from which the command is given. */
export const defaultFile = (cwd: string): string => join(cwd, 'ecosystem.config.js');

/** Never rejects: a file that cannot be read is found so. */
export async function readAppFile(path: string, options?: EvaluateOptions): Promise<AppFile> {
  const format = formatOf(path);
  return format === 'javascript' && existsSync(path)
    ? { path, ...(await evaluateFile(path, options)) }
    : { path, found: parsed(path, format), printed: [] };
}

type Format = 'json' | 'yaml' | 'javascript';

/** PM2 goes by what a name contains, in this order (Common.js:242-267). */
const MARKS: readonly (readonly [mark: string, format: Format])[] = [
  ['.json', 'json'],
  ['.yml', 'yaml'],
  ['.yaml', 'yaml'],
  ['.config.js', 'javascript'],
  ['.config.cjs', 'javascript'],
  ['.config.mjs', 'javascript'],
];

const formatByPm2 = (path: string): Format | undefined =>
  MARKS.find(([mark]) => basename(path).includes(mark))?.[1];

function formatOf(path: string): Format | undefined {
  return formatByPm2(path) ?? (['.js', '.cjs', '.mjs'].includes(extname(path)) ? 'javascript' : undefined);
}

/** Whether PM2 takes a file of this name for an app file; it runs any other as a program. */
export const isAppFileName = (path: string): boolean => formatByPm2(path) !== undefined;

const KINDS = 'a .js, .cjs, .mjs, .json, .json5, .yaml or .yml file';

function parsed(path: string, format: Format | undefined): Found {
  if (!existsSync(path))
    return { expected: 'an app file such as ecosystem.config.js (--config names another)', got: 'no file' };
  if (format === undefined) return { expected: KINDS, got: extname(path) };
  try {
    const text = readFileSync(path, 'utf8');
    return { content: format === 'yaml' ? parseYaml(text) : parseJson(text) };
  } catch (error) {
    const expected = `an app file in ${format === 'yaml' ? 'YAML' : 'JSON'}`;
    return { expected, got: sentenceOf(error as Error) };
  }
}

/** The library is loaded only where there is more in the file than JSON: comments, a byte order mark, bare names. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return (require('json5') as typeof import('json5')).parse(text);
  }
}

/** PM2's own parser. A date and a part that refers to itself become what they become in JavaScript. */
function parseYaml(text: string): unknown {
  return decode(encode((require('js-yaml') as typeof import('js-yaml')).load(text)));
}

/** In one line: that of a YAML error shows the place in the file in several. */
function sentenceOf(error: Error & Partial<Pick<YAMLException, 'mark' | 'reason'>>): string {
  const { mark, reason, message } = error;
  return mark === undefined || reason === undefined
    ? message
    : `${reason} (line ${mark.line + 1}, column ${mark.column + 1})`;
}
