'use strict';
/**
 * `yarn build`: src → dist. After the compiler, two things are made for a quick start and little memory
 * (docs/decisions/0006): the supervisor becomes one file, and so do the worker's packages, with V8's code cache for them
 * and for the worker's own modules.
 */
const { createHash } = require('node:crypto');
const { readdirSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');
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
    plugins: [postpone],
    write: false,
  });
  return pack(outputFiles[0].text);
}

const packed = name =>
  `exports['${name}'] = { version: require('${name}/package.json').version, load: () => require('${name}') };`;

/** What a plain answer needs none of: tables of types and of encodings, parsers of bodies, cryptography. */
const POSTPONED = /^(mime-types|iconv-lite|qs|(node:)?(crypto|zlib))$/;

/** Each is loaded when a part of it is first asked for: an object with its names stands in for it until then. */
const postpone = {
  name: 'postpone',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: POSTPONED }, ({ path, namespace, resolveDir }) =>
      namespace === 'postponed' ? undefined : { path, namespace: 'postponed', pluginData: resolveDir },
    );
    onLoad({ filter: /./, namespace: 'postponed' }, ({ path, pluginData: resolveDir }) => {
      const names = Object.keys(require(require.resolve(path, { paths: [resolveDir] })));
      const getters = names.map(
        name => `get ${JSON.stringify(name)}() { return load()[${JSON.stringify(name)}]; },`,
      );
      return {
        contents: `const load = () => require('${path}');\nmodule.exports = {\n${getters.join('\n')}\n};`,
        resolveDir,
      };
    });
  },
};

/**
 * The file of packages names its caches in its first line, by what is in it: a worker that starts while a build is
 * copied over another never meets the caches of another text.
 */
async function pack(text) {
  const caches = `worker.${createHash('sha256').update(text).digest('hex').slice(0, 16)}.cache`;
  replace('packages.js', `// ${caches}\n${Module.wrap(text)}`);
  const stale = readdirSync(DIST).filter(name => /^(packages|worker)\.[0-9a-f]+\.cache$/.test(name));
  for (const name of stale) rmSync(join(DIST, name));
  const code = await run(process.execPath, [join(__dirname, 'code-cache.cjs'), join(DIST, caches)], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 2],
  });
  if (code !== 0)
    process.stderr.write('The worker that was built does not answer; "node dist/index.js" tells why\n');
  return code;
}

/** Whoever reads it meanwhile has the old one or the new one, whole. */
function replace(name, content) {
  const path = join(DIST, name);
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

void build().then(code => process.exit(code));
