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

interface Cached {
  /** Of what text the cache is; nothing for the packages, whose text names the caches. */
  readonly text: Buffer;
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
  const all = run(PACKAGES, packages, caches.get('packages.js')?.cache, usual) as Packed;
  const packed = new Map(Object.entries(all).filter(isInstalled));

  /** V8 compares no more than the length of a text with that of its cache; a cache of another V8 it refuses. */
  function cacheOf(name: string, text: Buffer): Buffer | undefined {
    const cached = caches.get(name);
    caches.delete(name);
    return cached?.text.equals(text) === true ? cached.cache : undefined;
  }

  function run(
    path: string,
    source: string,
    cachedData: Buffer | undefined,
    requireThere: (id: string) => unknown,
  ): unknown {
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
    const text = readFileSync(path);
    return run(path, Module.wrap(text.toString()), cacheOf(path.slice(DIST.length + 1), text), requireThere);
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
 * build is copied over another meets the cache of another text. Its own first line tells the path of each script, and
 * how many bytes of text and of cache there are of it.
 */
function cachesOf(packages: string): Map<string, Cached> {
  const name = /^\/\/ (worker\.[0-9a-f]+\.cache)\n/.exec(packages)?.[1];
  const bytes = name === undefined ? undefined : read(join(DIST, name));
  if (bytes === undefined) return new Map();
  let at = bytes.indexOf('\n') + 1;
  const next = (length: number): Buffer => bytes.subarray(at, (at += length));
  const index = JSON.parse(bytes.toString('latin1', 0, at)) as [path: string, text: number, cache: number][];
  return new Map(index.map(([path, text, cache]) => [path, { text: next(text), cache: next(cache) }]));
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
