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

/** What the file exports: how each package is loaded, by its name. */
type Packed = Readonly<Record<string, () => unknown>>;

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function evaluate(source: string, cachedData: Buffer | undefined): Packed {
  // A cache of another V8 is refused by V8 itself, which then compiles.
  const script = new Script(Module.wrap(source), { filename: FILE, cachedData });
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

const source = read(FILE);
if (source !== undefined) {
  const packed = evaluate(source.toString('utf8'), read(`${FILE}.cache`));
  for (const [name, load] of Object.entries(packed)) standIn(name, load);
}
