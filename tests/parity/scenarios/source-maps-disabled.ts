/** Source maps. */
import { same, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Other apps',
  title: '`disable_source_map_support` leaves stack traces as they are',
  program: 'mapped.js',
  app: { instances: 1, wait_ready: false, disable_source_map_support: true },
  async run(service) {
    await service.startAndServe(1);
    return bodyOf(service, '/');
  },
  expect: same('mapped.js'),
});
