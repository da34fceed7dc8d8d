'use strict';
/**
 * Runs the version of Yarn that `package.json` locks, whether or not a Yarn is installed. Yarn 1 passes every command to
 * this file (see `.yarnrc`), because it cannot handle projects of a newer Yarn.
 */
const { spawnSync } = require('node:child_process');
const { run } = require('./run.cjs');

const YARN = `@yarnpkg/cli-dist@${require('../package.json').packageManager.split('@')[1]}`;

/**
 * The path of the locked Yarn in npm's cache, downloaded if missing. Yarn is then run without npx, whose shell would die of
 * a signal that is meant for the program and leave the program running.
 * @param {(text: string) => void} seen gets what npx writes to standard error
 */
function locate(seen) {
  const { stdout, stderr, status } = spawnSync(
    'npx',
    ['--yes', `--package=${YARN}`, '--call', 'command -v yarn'],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  seen(stderr);
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * Runs Yarn with these arguments; resolves with its exit code.
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @param {(text: string) => void} [seen] gets the output of npx, and that of Yarn where `stdio` has pipes for it
 */
async function yarn(args, options = {}, seen = text => void process.stderr.write(text)) {
  const program = locate(seen);
  if (program === undefined) {
    seen('npx did not get Yarn\n');
    return 1;
  }
  // Otherwise that Yarn would follow `yarn-path` back to this file.
  const env = { ...process.env, YARN_IGNORE_PATH: '1' };
  return run(process.execPath, [program, ...args], { env, ...options }, seen);
}

module.exports = { yarn };

if (require.main === module) {
  void yarn(process.argv.slice(2)).then(code => process.exit(code));
}
