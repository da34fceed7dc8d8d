/** WEB_CONCURRENCY in the shell, which the app file reads. */
import { same, scenario } from '../scenario.js';
import { allServing } from '../steps.js';

export default scenario({
  section: 'Number of workers',
  title: 'WEB_CONCURRENCY sets the number of workers of this service',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '3' },
  async run(service) {
    await service.start();
    return `${(await allServing(service)).length} workers`;
  },
  expect: same('3 workers'),
});
