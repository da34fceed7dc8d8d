'use strict';
/**
 * `yarn test:ecosystem`: sets up what is missing, then tests the build with packages that Express applications commonly use.
 * `tests/ecosystem` locks these packages; arguments go to Jest.
 */
const { join } = require('node:path');
const { run } = require('./run.cjs');
const { once, setUp, ROOT } = require('./setup.cjs');

const HOME = join(ROOT, 'tests', 'ecosystem');
const JEST = [join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'), '--config', 'jest.ecosystem.config.js'];

/** @type {import('./setup.cjs').Step} */
const PACKAGES = {
  inputs: ['tests/ecosystem/package-lock.json'],
  stamp: 'tests/ecosystem/node_modules/.cabe-arena-installed',
};

void setUp()
  .then(() =>
    once(
      PACKAGES,
      'Installing the packages to test with',
      () => run('npm', ['ci'], { cwd: HOME, stdio: ['ignore', 2, 2] }),
      () =>
        'Installing failed. The package registry must be reachable once; afterwards no network is needed.',
    ),
  )
  .then(() => run(process.execPath, [...JEST, ...process.argv.slice(2)], { cwd: ROOT }))
  .then(code => process.exit(code));
