/**
 * The packages of the worker, loaded from one file with V8's code cache beside it, which the build makes
 * (`scripts/build.cjs`): their 190 files take most of a worker's start, and a crash is healed no faster than that
 * (decision 0006). `require` then finds them loaded. Without the file, as with the sources, nothing changes.
 */
import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';

const FILE = join(__dirname, '..', 'packages.js');

/** What the file exports: how each package is loaded, and which version of it was packed. */
type Packed = Readonly<Record<string, { readonly version: string; readonly load: () => unknown }>>;

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The first line names the cache that belongs to this very text: V8 compares no more than its length. A cache of another
 * V8 is refused by V8 itself, which then compiles.
 */
function cacheOf(source: string): Buffer | undefined {
  const name = /^\/\/ (packages\.[0-9a-f]+\.cache)\n/.exec(source)?.[1];
  return name === undefined ? undefined : read(join(FILE, '..', name));
}

function evaluate(source: string): Packed {
  const script = new Script(Module.wrap(source), { filename: FILE, cachedData: cacheOf(source) });
  const module = new Module(FILE);
  const run = script.runInThisContext() as (...scope: unknown[]) => void;
  run.call(module.exports, module.exports, createRequire(FILE), module, FILE, join(FILE, '..'));
  return module.exports as Packed;
}

function standIn(name: string, load: () => unknown): void {
  const path = require.resolve(name);
  const module = Object.assign(new Module(path), { filename: path, loaded: true });
  Object.defineProperty(module, 'exports', { get: load, enumerable: true, configurable: true });
  require.cache[path] = module;
}

const source = read(FILE)?.toString('utf8');
if (source !== undefined) {
  for (const [name, { version, load }] of Object.entries(evaluate(source))) {
    const installed = (require(`${name}/package.json`) as { readonly version: string }).version;
    if (installed === version) standIn(name, load);
    else
      process.emitWarning(
        `${name} ${installed} is installed, but the build has packed ${version}: loading what is installed; ` +
          'build again for a quick start',
      );
  }
}
