/** `max_restarts: 4` and a worker that crashes at boot. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { pause } from '../steps.js';

export default scenario({
  chapter: 'Restarts',
  promise: 'a worker that only crashes is given up after `max_restarts`',
  app: { instances: 1, max_restarts: 4, min_uptime: '5s' },
  async play(service) {
    service.put('crash', '1');
    await service.start();
    await until(async () => {
      const workers = await service.workers();
      return workers.every(({ state }) => state === 'errored');
    }, 'it is given up');
    // And nothing follows.
    await pause(1_000);
    return `given up after ${service.journal(/^boots/).length} crashes`;
  },
  expect: same('given up after 4 crashes'),
});
