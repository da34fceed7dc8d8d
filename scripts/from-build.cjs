'use strict';
/**
 * `yarn start:cluster`, `yarn cluster:status` and the others: runs a program of the build in this process, with the
 * arguments that follow its name. Without a build it names the command that makes one.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

/** As for an invalid configuration: a retry does not help. */
const NOT_BUILT = 5;

const [node = '', , name = '', ...rest] = process.argv;
const program = join(__dirname, '..', 'dist', name);
if (existsSync(program)) {
  process.argv = [node, program, ...rest];
  require(program);
} else {
  process.stderr.write(`${program} does not exist; run "yarn build" (or "npm run build") first\n`);
  process.exitCode = NOT_BUILT;
}
