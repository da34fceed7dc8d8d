/** An ES module as the entry, by the `type` of its package.json. */
import { same, scenario } from '../scenario.js';
import { read } from '../steps.js';

export default scenario({
  chapter: 'Apps that are not ours',
  promise: 'a `.js` entry in a package of type `module` runs',
  program: 'package/entry.js',
  async play(service) {
    await service.started(2);
    return `${await read(service, '/')} answers`;
  },
  expect: same('module answers'),
});
