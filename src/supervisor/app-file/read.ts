/** Reads an app file of any format anew. */
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { evaluateFile, type Evaluated, type EvaluateOptions, type Found } from './evaluate.js';

/** An app file as it was read. */
export interface AppFile extends Evaluated {
  /** Absolute. */
  readonly path: string;
}

/** The default app file: in the folder from which the command is given. */
export const defaultFile = (cwd: string): string => join(cwd, 'ecosystem.config.js');

/** An ES module cannot be read anew at a reload: nothing forgets it. The program itself may well be one. */
const COMMON_JS = 'a CommonJS file: name it .cjs, with module.exports instead of export';

/** Never rejects: a file that cannot be read is found so. */
export async function readAppFile(path: string, options?: EvaluateOptions): Promise<AppFile> {
  return isEvaluated(path) && existsSync(path)
    ? { path, ...(await evaluateFile(path, options)) }
    : { path, found: parsed(path), printed: [] };
}

const isEvaluated = (path: string): boolean => ['.js', '.cjs'].includes(extname(path));

function parsed(path: string): Found {
  const kind = extname(path);
  if (!existsSync(path))
    return { expected: 'an app file such as ecosystem.config.js (--config names another)', got: 'no file' };
  if (kind === '.mjs') return { expected: COMMON_JS, got: kind };
  if (kind !== '.json') return { expected: 'a .js, .cjs or .json file', got: kind };
  try {
    return { content: JSON.parse(readFileSync(path, 'utf8')) as unknown };
  } catch (error) {
    return { expected: 'an app file in JavaScript (.js, .cjs) or JSON', got: (error as Error).message };
  }
}
