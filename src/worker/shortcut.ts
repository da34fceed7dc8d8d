/**
 * A shorter way to the worker's modules: a crash is healed no faster than a worker starts, and most of a start would be
 * finding and compiling files (decision 0006). Its packages come out of one file, ours from where they lie, so that
 * traces, breakpoints and `require.cache` are what they always are; all of them with V8's code cache, which the build
 * takes from a worker that has answered (`scripts/build.cjs`). Without what the build makes, as with the sources, Node's
 * own way is taken.
 */
import { existsSync, readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { constants, Script } from 'node:vm';

const DIST = join(__dirname, '..');

/** All packages in one text, in ASCII. */
const PACKAGES = join(DIST, 'packages.js');

/** What that file exports: how each package is loaded, and which version of it was packed. */
type Packed = Readonly<Record<string, { readonly version: string; readonly load: () => unknown }>>;

interface Cached {
  /** Of what text the cache is; nothing for packages, whose text names its caches. */
  readonly text: Buffer;
  readonly cache: Buffer;
}

/** Every script that was compiled here, by its path below `dist`: for the build, which makes the caches of them. */
export const compiled = new Map<string, Script>();

/** The worker's lifecycle, with all that it loads. */
export function lifecycle(): typeof import('./lifecycle.js') {
  // With source maps Node has to see every file itself.
  const load = process.sourceMapsEnabled || !existsSync(PACKAGES) ? require : shortcut();
  return load(join(__dirname, 'lifecycle.js')) as typeof import('./lifecycle.js');
}

/** @returns what loads a file of ours as `require` would, from all others' point of view as well */
function shortcut(): (path: string) => unknown {
  const caches = new Map<string, Cached>();
  let packed: ReadonlyMap<string, Packed[string]> | undefined;
  packed = new Map(Object.entries(load(PACKAGES) as Packed).filter(isInstalled));

  /** V8 compares no more than the length of a text with that of its cache; a cache of another V8 it refuses. */
  function cacheOf(name: string, text: Buffer): Buffer | undefined {
    for (const [path, cached] of cachesNamedIn(text)) caches.set(path, cached);
    const cached = caches.get(name);
    caches.delete(name);
    if (cached === undefined) return undefined;
    return cached.text.length === 0 || cached.text.equals(text) ? cached.cache : undefined;
  }

  function run(path: string, source: string, cachedData: Buffer | undefined): unknown {
    const script = new Script(source, {
      filename: path,
      cachedData,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    compiled.set(path.slice(DIST.length + 1), script);
    const module = Object.assign(new Module(path), { filename: path });
    require.cache[path] = module;
    try {
      const evaluate = script.runInThisContext() as (...scope: unknown[]) => void;
      evaluate.call(module.exports, module.exports, requireOf(path), module, path, dirname(path));
    } catch (error) {
      delete require.cache[path];
      throw error;
    }
    module.loaded = true;
    return module.exports;
  }

  function load(path: string): unknown {
    const known = require.cache[path];
    if (known !== undefined) return known.exports;
    const text = read(path);
    if (text === undefined) return createRequire(PACKAGES)(path); // says what is missing, as ever
    return run(path, Module.wrap(text.toString()), cacheOf(path.slice(DIST.length + 1), text));
  }

  /** A module's `require`. Whatever is no plain file of ours by its full name takes Node's own way. */
  function requireOf(path: string): NodeJS.Require {
    const usualThere = createRequire(path);
    const requireThere = (id: string): unknown =>
      /^\.{1,2}\/.*\.js$/.test(id) ? load(join(path, '..', id)) : (packed?.get(id)?.load() ?? usualThere(id));
    return Object.assign(requireThere, usualThere);
  }

  return load;
}

/** The first line is looked for in so many bytes. */
const LONGEST_NAME = 100;

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The first line of packages names the caches that belong to this very text, so that nobody who starts while a build is
 * copied over another meets the cache of another text. Their own first line tells the path of each script, and how many
 * bytes of text and of cache there are of it.
 */
function cachesNamedIn(text: Buffer): readonly (readonly [path: string, cached: Cached])[] {
  const name = /^\/\/ (\w+\.[0-9a-f]+\.cache)\n/.exec(text.toString('latin1', 0, LONGEST_NAME))?.[1];
  const bytes = name === undefined ? undefined : read(join(DIST, name));
  if (bytes === undefined) return [];
  let at = bytes.indexOf('\n') + 1;
  const next = (length: number): Buffer => bytes.subarray(at, (at += length));
  const index = JSON.parse(bytes.toString('latin1', 0, at)) as [path: string, text: number, cache: number][];
  return index.map(([path, length, cache]) => [path, { text: next(length), cache: next(cache) }]);
}

function isInstalled([name, { version }]: readonly [string, Packed[string]]): boolean {
  const manifest = read(join(DIST, '..', 'node_modules', name, 'package.json'))?.toString();
  const installed = (manifest === undefined ? require(`${name}/package.json`) : JSON.parse(manifest)) as {
    readonly version: string;
  };
  if (installed.version === version) return true;
  process.emitWarning(
    `${name} ${installed.version} is installed, but the build has packed ${version}: loading what is installed; ` +
      'build again for a quick start',
  );
  return false;
}
