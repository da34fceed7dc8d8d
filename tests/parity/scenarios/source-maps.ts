/** Source maps. */
import { same, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Other apps',
  title: 'stack traces name the source, not the compiled file',
  program: 'mapped.js',
  app: { instances: 1, wait_ready: false },
  async run(service) {
    await service.startAndServe(1);
    return bodyOf(service, '/');
  },
  expect: same('main.ts:7:9'),
});
