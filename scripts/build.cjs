'use strict';
/**
 * `yarn build`: src → dist. The compiler makes a module of each source; then esbuild makes one file each of the
 * supervisor and of the worker with its packages, which start faster (docs/decisions/0006), and one start of the worker
 * fills Node's compile cache.
 */
const { fork } = require('node:child_process');
const { renameSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const esbuild = require('esbuild');
const { nativePackages } = require('./native-packages.cjs');
const { run } = require('./run.cjs');
const { ROOT, TSC } = require('./setup.cjs');

const DIST = join(ROOT, 'dist');
const CACHE = join(DIST, '.compile-cache');

/** How long the worker may take to start and to end. */
const TIMEOUT_MS = 20_000;

async function build() {
  const code = await run(process.execPath, [TSC, '-p', 'tsconfig.build.json'], { cwd: ROOT });
  if (code !== 0) return code;
  // A supervisor may outlive the folder that it was started from. pino is loaded at the start, or not at all.
  await bundle('src/cluster.ts', 'cluster.js', {
    external: ['pino', 'pino-pretty'],
    plugins: [apart('./formats.js', './formats.bundle.js')],
  });
  await bundle('src/supervisor/app-file/formats.ts', 'formats.bundle.js', {});
  // pino-pretty is for development and may be absent.
  await bundle('src/worker/main.ts', 'worker.bundle.js', {
    external: ['pino-pretty', ...nativePackages(ROOT)],
  });
  await bundle('src/observability/thread.ts', 'observer.bundle.js', {});
  return fillCompileCache();
}

/**
 * Replaces a file at once: a process that starts meanwhile reads the old one or the new one.
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
  });
  for (const { path, contents } of outputFiles) {
    writeFileSync(`${path}.new`, contents);
    renameSync(`${path}.new`, path);
  }
}

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

/** Node writes its compile cache when the worker ends; a worker that cannot start here starts without a cache. */
async function fillCompileCache() {
  rmSync(CACHE, { recursive: true, force: true });
  const worker = fork(join(DIST, 'index.js'), [], {
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: '0',
      CABE_WARM_UP: '1',
    },
    execArgv: [],
    stdio: ['ignore', 'ignore', 2, 'ipc'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  worker.once('message', () => worker.kill('SIGTERM'));
  const code = await new Promise(resolve => worker.once('exit', resolve));
  if (code !== 0)
    process.stderr.write(
      'Built without a compile cache: the worker does not start here with default settings, so the first start is slower\n',
    );
  return 0;
}

void build().then(code => process.exit(code));
