'use strict';
/** Prepares a fresh clone: installs the locked packages, then builds. Skips a step whose inputs have not changed. */
const { createHash } = require('node:crypto');
const {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} = require('node:fs');
const { dirname, join, relative } = require('node:path');
const { installFailure } = require('./install-failure.cjs');
const { run } = require('./run.cjs');
const { yarn } = require('./yarn.cjs');

const ROOT = join(__dirname, '..');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

/**
 * A step of the setup.
 * @typedef {object} Step
 * @property {readonly string[]} inputs files and folders it depends on
 * @property {string} stamp file that keeps the fingerprint of the inputs once the step is done
 * @property {string} [node] version of Node its result depends on
 */

/** @type {Step} */
const INSTALL = {
  inputs: ['package.json', 'yarn.lock', '.yarnrc.yml'],
  stamp: 'node_modules/.cabe-arena-installed',
};
/** @type {Step} */
const BUILD = {
  inputs: ['src', 'scripts/build.cjs', 'tsconfig.json', 'tsconfig.build.json', 'yarn.lock'],
  stamp: 'dist/.built',
  // The compile cache works only for the Node that made it.
  node: process.version,
};

/**
 * Progress goes to standard error: standard output belongs to the program that is started.
 * @type {import('node:child_process').SpawnOptions}
 */
const OUTPUT = { cwd: ROOT, stdio: ['ignore', 2, 2] };

async function setUp() {
  let output = '';
  /** @param {string} text */
  const show = text => {
    output += text;
    process.stderr.write(text);
  };
  await once(
    INSTALL,
    'Installing the locked packages',
    () => yarn(['install', '--immutable'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] }, show),
    () => installFailure(output),
  );
  await once(
    BUILD,
    'Building',
    () => run(process.execPath, [join(__dirname, 'build.cjs')], OUTPUT),
    () => 'Building failed, see above.',
  );
}

/**
 * For programs that write modules into `dist/` themselves: supervisor and workers then load those instead of the older
 * bundles, and the next start builds again.
 */
function invalidateBuild() {
  for (const path of [BUILD.stamp, 'dist/cluster.bundle.js', 'dist/worker.bundle.js'])
    rmSync(join(ROOT, path), { force: true });
}

/**
 * Does a step unless its inputs are unchanged since the last time. Ends the process if the step fails.
 * @param {Step} step
 * @param {string} title
 * @param {() => Promise<number>} work resolves with an exit code
 * @param {() => string} failure
 */
async function once({ inputs, stamp, node = '' }, title, work, failure) {
  const path = join(ROOT, stamp);
  const wanted = fingerprint(inputs) + node;
  if (existsSync(path) && readFileSync(path, 'utf8') === wanted) return;
  process.stderr.write(`${title} …\n`);
  const code = await work();
  if (code !== 0) {
    process.stderr.write(`${failure()}\n`);
    process.exit(code);
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, wanted);
}

/** @param {readonly string[]} inputs */
function fingerprint(inputs) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap(input => filesOf(join(ROOT, input))))
    hash.update(relative(ROOT, file)).update(readFileSync(file));
  return hash.digest('hex');
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function filesOf(path) {
  const entries = isFolder(path) ? readdirSync(path, { withFileTypes: true }) : undefined;
  if (entries === undefined) return [path];
  return entries.flatMap(entry => filesOf(join(path, entry.name))).toSorted();
}

/** @param {string} path */
const isFolder = path => statSync(path).isDirectory();

module.exports = { setUp, once, invalidateBuild, ROOT, TSC };
