/** From a place in a built file to the place in its source. */
import { readFileSync, statSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A larger map would not fit into the memory of the observer thread. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface Script {
  /** Path or file URL. */
  readonly url: string;
  readonly sourceMapURL?: string | undefined;
}

/** As the inspector counts: from 0. */
export interface Place {
  readonly lineNumber: number;
  readonly columnNumber?: number | undefined;
}

/** `src/routes/games.ts:12:5`, below the working directory where it lies there; the built file where no map is found. */
export function mapFrame(script: Script | undefined, { lineNumber, columnNumber = 0 }: Place): string {
  if (script === undefined || script.url === '') return 'unknown';
  const built = script.url.startsWith('file:') ? fileURLToPath(script.url) : script.url;
  const entry = mapOf(built, script.sourceMapURL)?.findEntry(lineNumber, columnNumber);
  if (entry === undefined || !('originalSource' in entry))
    return `${shortened(built)}:${lineNumber + 1}:${columnNumber + 1}`;
  const source = entry.originalSource.startsWith('file:')
    ? fileURLToPath(entry.originalSource)
    : resolve(dirname(built), entry.originalSource);
  return `${shortened(source)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
}

function shortened(path: string): string {
  const here = `${process.cwd()}/`;
  return path.startsWith(here) ? path.slice(here.length) : path;
}

const maps = new Map<string, SourceMap | undefined>();

function mapOf(built: string, url: string | undefined): SourceMap | undefined {
  if (url === undefined || url === '' || url.startsWith('data:')) return undefined;
  const path = join(dirname(built), url);
  if (!maps.has(path)) maps.set(path, read(path));
  return maps.get(path);
}

/** A map that is missing or damaged costs only the better names. */
function read(path: string): SourceMap | undefined {
  try {
    if (statSync(path).size > MAX_BYTES) return undefined;
    const payload = JSON.parse(readFileSync(path, 'utf8')) as SourceMapPayload;
    return new SourceMap({ ...payload, sourcesContent: [] });
  } catch {
    return undefined;
  }
}
