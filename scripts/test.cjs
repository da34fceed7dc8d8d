'use strict';
/** `npm test`: sets up what is missing, then runs the whole suite; arguments go to Jest. */
const { join } = require('node:path');
const { run } = require('./run.cjs');
const { setUp, ROOT } = require('./setup.cjs');

void setUp()
  .then(() =>
    run(process.execPath, [join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'), ...process.argv.slice(2)], {
      cwd: ROOT,
    }),
  )
  .then(code => process.exit(code));
