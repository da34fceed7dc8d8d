'use strict';
/**
 * `yarn build`: src → dist. After the compiler, two things are made for a quick start and little memory
 * (docs/decisions/0006): the supervisor becomes one file, and so do the worker's packages, with V8's code cache.
 */
const { rmSync, readFileSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');
const { run } = require('./run.cjs');

const ROOT = join(__dirname, '..');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const PACKAGES = join(ROOT, 'dist', 'packages.js');
const CACHE = `${PACKAGES}.cache`;

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

async function build(options = {}) {
  for (const file of [PACKAGES, CACHE]) rmSync(file, { force: true });
  const code = await run(process.execPath, [TSC, '-p', 'tsconfig.build.json'], { cwd: ROOT, ...options });
  if (code !== 0) return code;
  // Here, because a clone that has just been set up did not have it when this file was loaded.
  const esbuild = require('esbuild');
  await esbuild.build({
    ...BUNDLE,
    entryPoints: ['src/cluster.ts'],
    outfile: 'dist/cluster.js',
    packages: 'external',
    sourcemap: 'linked',
  });
  await esbuild.build({
    ...BUNDLE,
    stdin: {
      contents: PACKED.map(name => `exports['${name}'] = () => require('${name}');`).join('\n'),
      resolveDir: ROOT,
    },
    outfile: 'dist/packages.js',
  });
  writeFileSync(CACHE, codeCache(PACKAGES));
  return 0;
}

/** The compiled form of a file after its code has run once: only what ran is in it. */
function codeCache(file) {
  const script = new Script(Module.wrap(readFileSync(file, 'utf8')), { filename: file });
  const module = new Module(file);
  script
    .runInThisContext()
    .call(module.exports, module.exports, Module.createRequire(file), module, file, join(file, '..'));
  for (const load of Object.values(module.exports)) load();
  return script.createCachedData();
}

module.exports = { build, TSC };

if (require.main === module) void build().then(code => process.exit(code));
