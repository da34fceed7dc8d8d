/** The cure: a CommonJS file that imports the ES module. */
import { same, scenario } from '../scenario.js';
import { read } from '../steps.js';

export default scenario({
  chapter: 'Apps that are not ours',
  promise: 'an ES module behind a CommonJS entry runs',
  program: 'imports-module.js',
  async play(service) {
    await service.started(2);
    return `${await read(service, '/')} answers`;
  },
  expect: same('module answers'),
});
