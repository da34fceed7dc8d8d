/** Reads an app file of any format anew. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
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
    // Before its first reload: the release from which this supervisor was started may be gone by then.
    const { parseJson, parseYaml } = require('./formats.js') as typeof import('./formats.js');
    // A date, a part that refers to itself and too many levels are what they are in JavaScript.
    return { content: decode(encode(format === 'yaml' ? parseYaml(text) : parseJson(text))) };
  } catch (error) {
    const expected = `an app file in ${format === 'yaml' ? 'YAML' : 'JSON'}`;
    return { expected, got: (error as Error).message };
  }
}
