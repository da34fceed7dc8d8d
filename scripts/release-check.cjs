'use strict';
/**
 * `yarn release:check [FOLDER]`: packs a release, installs the tarball in an empty folder, and runs it there. Leaves the
 * tarball, a bill of materials (CycloneDX) and the list of licences in FOLDER, by default `release`.
 */
const { execFileSync, spawn } = require('node:child_process');
const { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:net');
const { tmpdir } = require('node:os');
const { join, resolve } = require('node:path');
const { setUp, ROOT } = require('./setup.cjs');
const { name, version } = require('../package.json');

/** Licences that ask for no more than to be named. */
const LICENCES = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'Python-2.0',
];

/** How long the installed service may take to answer. */
const PATIENCE_MS = 20_000;

/**
 * @typedef {object} Component a production dependency, as npm's bill of materials has it
 * @property {string} name
 * @property {string} version
 * @property {{ license: { id?: string, name?: string }, expression?: string }[]} [licenses]
 */

/**
 * Prints what is done, and fails with its sentence.
 * @param {string} what
 * @param {boolean} holds
 */
function check(what, holds) {
  process.stdout.write(`${holds ? '✓' : '✗'} ${what}\n`);
  if (!holds) process.exitCode = 1;
}

/**
 * @param {string} folder
 * @param {readonly string[]} args
 */
const npm = (folder, ...args) =>
  execFileSync('npm', args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 2],
    maxBuffer: 2 ** 26,
  });

/** @returns {Promise<number>} */
const freePort = () =>
  new Promise((done, failed) => {
    const server = createServer().once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => done(port));
    });
  });

/**
 * Starts the installed service, and asks it for its version.
 * @param {string} home
 * @returns {Promise<{ version: string | undefined, code: number | null }>} `version` is missing if it did not answer
 */
async function runInstalled(home) {
  const port = await freePort();
  const service = spawn(process.execPath, ['dist/cluster.js'], {
    cwd: join(home, 'node_modules', name),
    env: { ...process.env, PORT: String(port), HOST: '127.0.0.1', RUN_DIR: join(home, 'run') },
    stdio: ['ignore', 'ignore', 2],
  });
  const ended = new Promise(done => service.once('exit', done));
  const deadline = Date.now() + PATIENCE_MS;
  let answer;
  while (answer === undefined && Date.now() < deadline && service.exitCode === null) {
    answer = await fetch(`http://127.0.0.1:${port}/api/status`).then(
      async response => /** @type {{ version: string }} */ (await response.json()),
      () => new Promise(done => setTimeout(done, 100, undefined)),
    );
  }
  service.kill('SIGTERM');
  return { version: answer?.version, code: await ended };
}

/** @param {Component} component */
const licencesOf = ({ licenses = [] }) =>
  licenses.map(({ license, expression }) => expression ?? license.id ?? license.name ?? 'unknown');

async function main() {
  const target = resolve(process.argv[2] ?? join(ROOT, 'release'));
  await setUp();
  mkdirSync(target, { recursive: true });

  const [packed] = JSON.parse(npm(ROOT, 'pack', '--json', '--pack-destination', target));
  const tarball = join(target, packed.filename);
  check(
    `packed ${packed.filename}: ${packed.entryCount} files, ${(packed.size / 1e6).toFixed(1)} MB`,
    packed.size > 0,
  );

  const home = mkdtempSync(join(tmpdir(), 'release-'));
  try {
    writeFileSync(
      join(home, 'package.json'),
      JSON.stringify({ name: 'release-check', version: '1.0.0', private: true }),
    );
    npm(home, 'install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', tarball);
    const printed = execFileSync(join(home, 'node_modules', '.bin', name), ['--version'], {
      encoding: 'utf8',
    });
    check(`--version says ${printed.trim()}`, printed.includes(version));
    const run = await runInstalled(home);
    check(`the installed service serves version ${String(run.version)}`, run.version === version);
    check(`it ends with exit code ${String(run.code)}`, run.code === 0);

    const bill = npm(home, 'sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev');
    writeFileSync(join(target, `${name}-${version}.cdx.json`), bill);
    const components = /** @type {Component[]} */ (JSON.parse(bill).components).filter(
      one => one.name !== name,
    );
    const list = components
      .map(one => `${one.name}@${one.version}: ${licencesOf(one).join(', ') || 'unknown'}`)
      .toSorted();
    writeFileSync(join(target, 'licences.txt'), `${list.join('\n')}\n`);
    const others = components.filter(one => !licencesOf(one).some(licence => LICENCES.includes(licence)));
    check(
      `${components.length} production packages, all under ${LICENCES.join(', ')}${others.map(one => `; not ${one.name}`).join('')}`,
      others.length === 0,
    );
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  const isNamed = new RegExp(`^## (Unreleased|\\[?${version.replaceAll('.', '\\.')}\\b)`, 'm');
  check('CHANGELOG.md has a section for it', isNamed.test(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8')));
  process.stdout.write(`Written to ${target}: the tarball, the bill of materials, licences.txt\n`);
}

void main();
