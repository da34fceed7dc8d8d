import { withoutEnvFiles } from '../../../src/supervisor/processes/fork.js';

test.each([
  [['--env-file=.env', '--inspect'], ['--inspect']],
  [['--env-file', '.env', '--inspect'], ['--inspect']],
  [['--inspect', '--env-file-if-exists=.env', '--env-file-if-exists', 'more.env'], ['--inspect']],
  [
    ['--env-files', '--require', './a.js'],
    ['--env-files', '--require', './a.js'],
  ],
])('of %p workers get %p', (given, passed) => {
  expect(withoutEnvFiles(given)).toEqual(passed);
});
