'use strict';
/**
 * The Yarn this project is locked to, for those who have another one or none. Yarn 1 hands every command to this
 * file (see `.yarnrc`), because by itself it refuses projects of a newer Yarn.
 */
const { spawnSync } = require('node:child_process');
const { run } = require('./run.cjs');

const YARN = `@yarnpkg/cli-dist@${require('../package.json').packageManager.split('@')[1]}`;

/**
 * Where npm keeps the locked Yarn, fetched if it is not there yet. Yarn is then run without npx: the shell that npx
 * puts in between dies of the signals that are meant for the program, and leaves it behind.
 */
function locate() {
  const { stdout, status } = spawnSync('npx', ['--yes', `--package=${YARN}`, '--call', 'command -v yarn'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 2],
  });
  return status === 0 ? stdout.trim() : undefined;
}

/** Runs Yarn with these arguments; resolves with its exit code. */
async function yarn(args, options = {}) {
  const program = locate();
  if (program === undefined) return 1;
  // Set by whoever has already followed a `yarn-path`: without it that Yarn would look for this file again.
  const env = { ...process.env, YARN_IGNORE_PATH: '1' };
  return run(process.execPath, [program, ...args], { env, ...options });
}

module.exports = { yarn };

if (require.main === module) {
  void yarn(process.argv.slice(2)).then(code => process.exit(code));
}
