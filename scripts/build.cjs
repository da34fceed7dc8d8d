'use strict';
/**
 * `yarn build`: src → dist. After the compiler, two things are made for a quick start and little memory
 * (docs/decisions/0006): the supervisor becomes one file, and so do the worker's packages, with V8's code cache for them
 * and for the worker's own modules.
 */
const { createHash } = require('node:crypto');
const { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const esbuild = require('esbuild');
const { run } = require('./run.cjs');
const { ROOT, TSC } = require('./setup.cjs');

const DIST = join(ROOT, 'dist');

/** So long may it take to start a worker and to ask it. */
const PATIENCE_MS = 20_000;

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
  const postponed = new Map();
  const texts = new Map([['packages.js', await bundled(PACKED.map(packed), [postponing(postponed)])]]);
  for (const [file, path] of postponed)
    texts.set(file, await bundled([`module.exports = require(${JSON.stringify(path)});`]));
  await pack(texts);
}

/** One text of these lines, and of all the packages that they ask for. */
async function bundled(lines, plugins = []) {
  const contents = lines.join('\n');
  const { outputFiles } = await esbuild.build({
    ...BUNDLE,
    stdin: { contents, resolveDir: ROOT },
    plugins,
    write: false,
  });
  return outputFiles[0].text;
}

const packed = name =>
  `exports['${name}'] = { version: require('${name}/package.json').version, load: () => require('${name}') };`;

/**
 * What a plain answer needs none of, and what takes half of a start: tables of types and of encodings, parsers of
 * bodies, cryptography, threads.
 */
const POSTPONED = /^(assert|crypto|iconv-lite|mime-types|node:crypto|node:zlib|qs|thread-stream|zlib)$/;

/**
 * They are loaded when a part of them is first asked for; until then something stands in for each that has its names.
 * Packages among them are noted, and each comes from a file of its own.
 */
const postponing = noted => ({
  name: 'postpone',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: POSTPONED }, ({ path, resolveDir }) => ({
      path: Module.isBuiltin(path) ? path : require.resolve(path, { paths: [resolveDir] }),
      namespace: 'postponed',
      pluginData: path,
    }));
    onResolve({ filter: /./, namespace: 'postponed' }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /./, namespace: 'postponed' }, ({ path, pluginData: name }) => {
      if (Module.isBuiltin(path)) return { contents: standIn(require(path), path) };
      let file = `postponed/${name}.js`;
      while (noted.has(file)) file = file.replace(/\.js$/, '-.js'); // another version of it
      noted.set(file, path);
      return { contents: standIn(require(path), `./${file}`) };
    });
  },
});

/** The text of a module that loads another one when it is used. */
function standIn(real, id) {
  const first =
    typeof real === 'function'
      ? 'function (...given) { return new.target ? Reflect.construct(load(), given) : Reflect.apply(load(), this, given); }'
      : '{}';
  return `const load = () => require('${id}');
module.exports = ${first};
for (const name of ${JSON.stringify(Object.keys(real))})
  Object.defineProperty(module.exports, name, { get: () => load()[name], enumerable: true, configurable: true });`;
}

/**
 * Each file of packages names its caches in its first line, by what is in it: a worker that starts while a build is
 * copied over another never meets the caches of another text.
 */
async function pack(texts) {
  const stale = readdirSync(DIST).filter(name => name.endsWith('.cache'));
  const caches = {};
  for (const [file, text] of texts) {
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
    caches[file] = `${file.split('/')[0].replace('.js', '')}.${digest}.cache`;
    replace(file, `// ${caches[file]}\n${text}`);
  }
  for (const name of stale) rmSync(join(DIST, name));
  const code = await run(process.execPath, [join(__dirname, 'code-cache.cjs'), JSON.stringify(caches)], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 2],
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  // A worker may need what is not to be had where it is built: a database, say.
  if (code !== 0)
    process.stderr.write(
      'Built, without a code cache: the worker does not answer when it is started here without any settings, so ' +
        'workers will start more slowly\n',
    );
}

/** Whoever reads it meanwhile has the old one or the new one, whole. */
function replace(name, content) {
  const path = join(DIST, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

void build().then((code = 0) => process.exit(code));
