/** Source maps. */
import { better, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Other apps',
  title: '`source_map_support: false` leaves stack traces as they are',
  program: 'mapped.js',
  app: { instances: 1, wait_ready: false, source_map_support: false },
  async run(service) {
    await service.startAndServe(1);
    return bodyOf(service, '/');
  },
  expect: better({
    pm2: 'main.ts:7:9',
    native: 'mapped.js',
    reason: 'PM2 documents the field and does not read it',
  }),
});
