/** An ES module as the entry, by the `type` of its package.json. */
import { same, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Other apps',
  title: 'a `.js` entry in a package of type `module` runs',
  program: 'package/entry.js',
  async run(service) {
    await service.startAndServe(2);
    return `${await bodyOf(service, '/')} answers`;
  },
  expect: same('module answers'),
});
