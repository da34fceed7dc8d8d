'use strict';
/**
 * `yarn test:node 24 [FILE…]`: runs the suite, or some files, on another version of Node, including all processes that
 * tests start. The binary is downloaded from the package registry once (Linux on x64); arguments go to Jest.
 */
const { execFileSync } = require('node:child_process');
const { join } = require('node:path');
const { VERSIONS, binaryOf } = require('./nodes.cjs');
const { run } = require('./run.cjs');
const { setUp, ROOT } = require('./setup.cjs');

const [major = '', ...rest] = process.argv.slice(2);

async function main() {
  const version = VERSIONS[major];
  if (version === undefined) {
    process.stderr.write(`Which Node? One of ${Object.keys(VERSIONS).join(', ')}, got "${major}"\n`);
    return 2;
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    process.stderr.write(
      `Binaries of Node come as packages for Linux on x64 only, this is ${process.platform} on ${process.arch}\n`,
    );
    return 1;
  }
  await setUp();
  const node = binaryOf(version);
  if (node === undefined) {
    process.stderr.write(
      `Node ${version} could not be fetched; the package registry must be reachable once\n`,
    );
    return 1;
  }
  process.stderr.write(`Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}\n`);
  const env = { ...process.env, PATH: `${join(node, '..')}:${process.env['PATH']}` };
  return run(node, [join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'), ...rest], { cwd: ROOT, env });
}

void main().then(code => process.exit(code));
