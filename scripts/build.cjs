'use strict';
/**
 * `yarn build`: src → dist. After the compiler, two things are made for a quick start and little memory
 * (docs/decisions/0006): the supervisor becomes one file, and so do the worker's packages, with V8's code cache.
 */
const { createHash } = require('node:crypto');
const { readdirSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');
const esbuild = require('esbuild');
const { run } = require('./run.cjs');

const ROOT = join(__dirname, '..');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const DIST = join(ROOT, 'dist');

/** What a worker needs from the first request on, or before. */
const PACKED = ['express', 'pino', 'proxy-addr'];

const BUNDLE = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'warning',
  absWorkingDir: ROOT,
};

async function build() {
  const code = await run(process.execPath, [TSC, '-p', 'tsconfig.build.json'], { cwd: ROOT });
  if (code !== 0) return code;
  await esbuild.build({
    ...BUNDLE,
    entryPoints: ['src/cluster.ts'],
    outfile: 'dist/cluster.js',
    packages: 'external',
    sourcemap: 'linked',
  });
  const { outputFiles } = await esbuild.build({
    ...BUNDLE,
    stdin: { contents: PACKED.map(packed).join('\n'), resolveDir: ROOT },
    write: false,
  });
  pack(outputFiles[0].text);
  return 0;
}

const packed = name =>
  `exports['${name}'] = { version: require('${name}/package.json').version, load: () => require('${name}') };`;

/**
 * The file names its cache in its first line, by what is in it: a worker that starts while a build is copied over
 * another never meets the cache of another text.
 */
function pack(text) {
  const cache = `packages.${createHash('sha256').update(text).digest('hex').slice(0, 16)}.cache`;
  const source = `// ${cache}\n${text}`;
  replace(cache, codeCache(source));
  replace('packages.js', source);
  for (const name of readdirSync(DIST))
    if (/^packages\.[0-9a-f]+\.cache$/.test(name) && name !== cache) rmSync(join(DIST, name));
}

/** Whoever reads it meanwhile has the old one or the new one, whole. */
function replace(name, content) {
  const path = join(DIST, name);
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

/** The compiled form of a text after it has run once: only what ran is in it. */
function codeCache(source) {
  const filename = join(DIST, 'packages.js');
  const script = new Script(Module.wrap(source), { filename });
  const module = new Module(filename);
  script
    .runInThisContext()
    .call(module.exports, module.exports, Module.createRequire(filename), module, filename, DIST);
  for (const { load } of Object.values(module.exports)) load();
  return script.createCachedData();
}

void build().then(code => process.exit(code));
