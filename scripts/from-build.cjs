'use strict';
/**
 * `yarn start:cluster` and the like: becomes a program of the build, its arguments are its own; where there is no
 * build, says how to make one.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

/** The exit code of an invalid configuration: no other try cures it. */
const NOT_BUILT = 5;

const [node, , name, ...rest] = process.argv;
const program = join(__dirname, '..', 'dist', name);
if (existsSync(program)) {
  process.argv = [node, program, ...rest];
  require(program);
} else {
  process.stderr.write(`${program} does not exist; run "yarn build" (or "npm run build") first\n`);
  process.exitCode = NOT_BUILT;
}
