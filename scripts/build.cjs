'use strict';
/**
 * `yarn build`: src → dist. The compiler makes a module of each source; then esbuild makes one file each of the
 * supervisor and of the worker with its packages, which start faster (docs/decisions/0006), and one start of both fills
 * Node's compile cache. The live page is copied.
 */
const { copyFileSync, cpSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const esbuild = require('esbuild');
const { fillCompileCache } = require('./compile-cache.cjs');
const { nativePackages } = require('./native-packages.cjs');
const { run } = require('./run.cjs');
const { ROOT, TSC } = require('./setup.cjs');

const DIST = join(ROOT, 'dist');
const CACHE = join(DIST, '.compile-cache');

async function build() {
  const code = await run(process.execPath, [TSC, '-p', 'tsconfig.build.json'], { cwd: ROOT });
  if (code !== 0) return code;
  // A supervisor may outlive the folder that it was started from. pino is loaded at the start, or not at all.
  await bundle('src/commands/main.ts', 'cluster.bundle.js', {
    external: ['pino', 'pino-pretty'],
    plugins: [apart('./formats.js', './formats.bundle.js')],
  });
  await bundle('src/supervisor/app-file/formats.ts', 'formats.bundle.js', {});
  // pino-pretty is for development and may be absent.
  await bundle('src/worker/main.ts', 'worker.bundle.js', {
    external: ['pino-pretty', ...nativePackages(ROOT)],
  });
  await bundle('src/observability/thread.ts', 'observer.bundle.js', {});
  copyPage();
  rmSync(CACHE, { recursive: true, force: true });
  await fillCompileCache();
  return 0;
}

/**
 * Replaces a file in one step: a process that starts meanwhile reads the old one or the new one.
 * @param {string} entry
 * @param {string} name
 * @param {import('esbuild').BuildOptions} options
 */
async function bundle(entry, name, options) {
  const { outputFiles = [] } = await esbuild.build({
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'warning',
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: join(DIST, name),
    sourcemap: 'linked',
    write: false,
    ...options,
    plugins: [jsonAsText, ...(options.plugins ?? [])],
  });
  for (const { path, contents } of outputFiles) {
    writeFileSync(`${path}.new`, contents);
    renameSync(`${path}.new`, path);
  }
}

/** The live page is served as it is written, with uPlot beside it. */
function copyPage() {
  const page = join(DIST, 'live', 'page');
  const isServed = (/** @type {string} */ path) => !path.endsWith('.json');
  rmSync(page, { recursive: true, force: true });
  cpSync(join(ROOT, 'src', 'live', 'page'), page, { recursive: true, filter: isServed });
  const uplot = join(ROOT, 'node_modules', 'uplot', 'dist');
  copyFileSync(join(uplot, 'uPlot.iife.min.js'), join(page, 'uplot.js'));
  copyFileSync(join(uplot, 'uPlot.min.css'), join(page, 'uplot.css'));
}

/**
 * Data of packages (media types, charsets) as text: V8 parses it sooner than a literal, and keeps less of it.
 * @type {import('esbuild').Plugin}
 */
const jsonAsText = {
  name: 'json-as-text',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.json$/ }, ({ path }) => {
      const text = JSON.stringify(JSON.parse(readFileSync(path, 'utf8')));
      return { contents: `module.exports = JSON.parse(${JSON.stringify(text)});` };
    }),
};

/**
 * Leaves a module out of a bundle: it is loaded from the file of its own that the build makes of it.
 * @param {string} name as it is required
 * @param {string} path of that file, beside the bundle
 * @returns {import('esbuild').Plugin}
 */
const apart = (name, path) => ({
  name: 'apart',
  setup: ({ onResolve }) =>
    onResolve({ filter: /./ }, args => (args.path === name ? { path, external: true } : undefined)),
});

void build().then(code => process.exit(code));
