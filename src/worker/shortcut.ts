/**
 * A shorter way to the worker's modules: a crash is healed no faster than a worker starts, and most of a start would be
 * finding and compiling files (decision 0006). Its packages come out of one file, ours from where they lie, so that
 * traces, breakpoints and `require.cache` are what they always are; all of them with V8's code cache, which the build
 * takes from a worker that has answered (`scripts/build.cjs`). Without what the build makes, as with the sources, Node's
 * own way is taken.
 */
import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { constants, Script } from 'node:vm';

const DIST = join(__dirname, '..');

/** All packages as the text of one function, in ASCII. */
const PACKAGES = join(DIST, 'packages.js');

/** What that file exports: how each package is loaded, and which version of it was packed. */
type Packed = Readonly<Record<string, { readonly version: string; readonly load: () => unknown }>>;

/** The first line of the file of caches: for each script its text, unless the text names this file, and its cache. */
export type CacheIndex = readonly {
  readonly path: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}[];

interface Cached {
  readonly text: string;
  readonly cache: Buffer;
}

/** Every script that was compiled here, by its path below `dist`: for the build, which makes the caches of them. */
export const compiled = new Map<string, Script>();

/** The worker's lifecycle, with all that it loads. */
export function lifecycle(): typeof import('./lifecycle.js') {
  // With source maps Node has to see every file itself.
  const packages = process.sourceMapsEnabled ? undefined : read(PACKAGES)?.toString('latin1');
  if (packages === undefined) return require('./lifecycle.js') as typeof import('./lifecycle.js');
  return shortcut(packages)(join(__dirname, 'lifecycle.js')) as typeof import('./lifecycle.js');
}

/** @returns what loads a file of ours as `require` would, from all others' point of view as well */
function shortcut(packages: string): (path: string) => unknown {
  const caches = cachesOf(packages);
  const usual = createRequire(PACKAGES);
  const packed = new Map(Object.entries(run(PACKAGES, packages, usual) as Packed).filter(isInstalled));

  /** V8 compares no more than the length of a text with that of its cache; a cache of another V8 it refuses. */
  function cacheOf(name: string, text: string): Buffer | undefined {
    const cached = caches.get(name);
    caches.delete(name);
    return name === 'packages.js' || cached?.text === text ? cached?.cache : undefined;
  }

  function run(path: string, text: string, requireThere: (id: string) => unknown): unknown {
    const name = path.slice(DIST.length + 1);
    const script = new Script(path === PACKAGES ? text : Module.wrap(text), {
      filename: path,
      cachedData: cacheOf(name, text),
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    compiled.set(name, script);
    const module = Object.assign(new Module(path), { filename: path });
    require.cache[path] = module;
    try {
      const evaluate = script.runInThisContext() as (...scope: unknown[]) => void;
      evaluate.call(module.exports, module.exports, requireThere, module, path, dirname(path));
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
    const requireThere = (id: string): unknown =>
      id.startsWith('.') ? load(join(path, '..', id)) : (packed.get(id)?.load() ?? usual(id));
    return run(path, readFileSync(path, 'utf8'), requireThere);
  }

  return load;
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The first line of the packages names the caches that belong to this very text, so that nobody who starts while a
 * build is copied over another meets the cache of another text.
 */
function cachesOf(packages: string): Map<string, Cached> {
  const name = /^\/\/ (worker\.[0-9a-f]+\.cache)\n/.exec(packages)?.[1];
  const bytes = name === undefined ? undefined : read(join(DIST, name));
  if (bytes === undefined) return new Map();
  const head = bytes.indexOf('\n') + 1;
  const index = JSON.parse(bytes.toString('utf8', 0, head)) as CacheIndex;
  return new Map(
    index.map(({ path, text, start, end }) => [
      path,
      { text, cache: bytes.subarray(head + start, head + end) },
    ]),
  );
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
