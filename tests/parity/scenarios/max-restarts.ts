/** `max_restarts: 4` and a worker that crashes at boot. */
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { hasGivenUp, pause } from '../steps.js';

export default scenario({
  chapter: 'Restarts',
  promise: 'a worker that only crashes is given up after `max_restarts`',
  app: { instances: 1, max_restarts: 4, min_uptime: '5s' },
  async play(service) {
    service.put('crash', '1');
    await service.start();
    await until(() => hasGivenUp(service, EXIT.neverReady), 'it is given up');
    // And nothing follows.
    await pause(1_000);
    return `given up after ${service.journal(/^crashes/).length} crashes, ${service.starts()} starts`;
  },
  expect: same('given up after 4 crashes, 4 starts'),
});
