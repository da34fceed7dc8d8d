/** WEB_CONCURRENCY in the shell, where the app file takes it over. */
import { same, scenario } from '../scenario.js';
import { settled } from '../steps.js';

export default scenario({
  chapter: 'Counting',
  promise: 'WEB_CONCURRENCY says how many workers this service has',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '3' },
  async play(service) {
    await service.start();
    return `${(await settled(service)).length} workers`;
  },
  expect: same('3 workers'),
});
