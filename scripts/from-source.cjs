'use strict';
/**
 * `yarn parity`, `yarn soak`: sets up what is missing, then runs a TypeScript program of the tests. The first argument
 * is its path, the others are passed to it.
 */
const { join } = require('node:path');
const { run } = require('./run.cjs');
const { setUp, ROOT } = require('./setup.cjs');

const TSX = join(ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs');

void setUp()
  .then(() => run(process.execPath, [TSX, ...process.argv.slice(2)], { cwd: ROOT }))
  .then(code => process.exit(code));
