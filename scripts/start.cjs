'use strict';
/** `npm start`: sets up what is missing, then runs the native supervisor in this process, so that it gets the signals. */
const { join } = require('node:path');
const { setUp, ROOT } = require('./setup.cjs');

void setUp().then(() => {
  const program = join(ROOT, 'dist', 'cluster.js');
  process.chdir(ROOT);
  process.argv.splice(1, 1, program);
  require(program);
});
