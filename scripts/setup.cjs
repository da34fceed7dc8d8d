'use strict';
/** Brings a fresh clone to where it can run: locked packages, then a build. Does nothing that is done already. */
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { dirname, join, relative } = require('node:path');
const { run } = require('./run.cjs');
const { yarn } = require('./yarn.cjs');

const ROOT = join(__dirname, '..');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

/** Each step, what it depends on, and where it notes that it is done. */
const INSTALL = {
  inputs: ['package.json', 'yarn.lock', '.yarnrc.yml'],
  stamp: 'node_modules/.cabe-arena-installed',
};
const BUILD = {
  inputs: ['src', 'scripts/build.cjs', 'tsconfig.json', 'tsconfig.build.json', 'yarn.lock'],
  stamp: 'dist/.built',
  // The compile cache belongs to the Node that has made it.
  node: process.version,
};

/** Progress goes to standard error: standard output belongs to the program that is started. */
const OUTPUT = { cwd: ROOT, stdio: ['ignore', 2, 2] };

async function setUp() {
  await once(INSTALL, 'Installing the locked packages', () => yarn(['install', '--immutable'], OUTPUT), [
    'Installing failed. The package registry must be reachable once; afterwards no network is needed.',
  ]);
  await once(BUILD, 'Building', () => run(process.execPath, [join(__dirname, 'build.cjs')], OUTPUT), [
    'Building failed, see above.',
  ]);
}

/** Whoever lets a compiler write into `dist/` meanwhile leaves what the next start has to build anew. */
const forgetBuild = () => rmSync(join(ROOT, BUILD.stamp), { force: true });

async function once({ inputs, stamp, node = '' }, title, work, [sentence]) {
  const path = join(ROOT, stamp);
  const wanted = fingerprint(inputs) + node;
  if (existsSync(path) && readFileSync(path, 'utf8') === wanted) return;
  process.stderr.write(`${title} …\n`);
  const code = await work();
  if (code !== 0) {
    process.stderr.write(`${sentence}\n`);
    process.exit(code);
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, wanted);
}

function fingerprint(inputs) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap(input => filesOf(join(ROOT, input))))
    hash.update(relative(ROOT, file)).update(readFileSync(file));
  return hash.digest('hex');
}

function filesOf(path) {
  const entries = isFolder(path) ? readdirSync(path, { withFileTypes: true }) : undefined;
  if (entries === undefined) return [path];
  return entries.flatMap(entry => filesOf(join(path, entry.name))).toSorted();
}

const isFolder = path => require('node:fs').statSync(path).isDirectory();

module.exports = { setUp, forgetBuild, ROOT, TSC };
