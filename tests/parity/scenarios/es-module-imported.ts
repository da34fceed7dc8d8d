/** A CommonJS entry that imports an ES module: the workaround for PM2. */
import { same, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Other apps',
  title: 'a CommonJS entry can import an ES module',
  program: 'imports-module.js',
  async run(service) {
    await service.startAndServe(2);
    return `${await bodyOf(service, '/')} answers`;
  },
  expect: same('module answers'),
});
