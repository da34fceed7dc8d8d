import { readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';

/**
 * Our own worker's program, beside this file: in the folder of the sources, in that of the build, and in the one file
 * that the build makes of the supervisor.
 */
const WORKER_FILE = join(__dirname, `index${extname(__filename)}`);

/**
 * Whether this is our own worker's program: the one beside this file, or the same program of another build. A link that
 * a deploy has moved leads to one, while the supervisor still is what it was started from.
 */
export function isWorkerFile(script: string): boolean {
  if (script === WORKER_FILE) return true;
  const name = packageOf(WORKER_FILE);
  return name !== undefined && placeIn(script) === placeIn(WORKER_FILE) && packageOf(script) === name;
}

/** `dist/index.js`: a package may have other programs, in other folders. */
const placeIn = (script: string): string => join(basename(dirname(script)), basename(script));

/** The name in the package.json above the folder of a build. */
function packageOf(script: string): string | undefined {
  try {
    const text = readFileSync(join(dirname(script), '..', 'package.json'), 'utf8');
    return (JSON.parse(text) as { readonly name?: string }).name;
  } catch {
    return undefined; // no package, or an unreadable one: another program
  }
}
