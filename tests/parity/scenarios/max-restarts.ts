/** `max_restarts: 4` and a worker that crashes at boot. */
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { hasGivenUp, pause } from '../steps.js';

export default scenario({
  section: 'Restarts',
  title: 'restarts of a worker that only crashes end after `max_restarts`',
  app: { instances: 1, max_restarts: 4, min_uptime: '5s' },
  async run(service) {
    service.writeFile('crash', '1');
    await service.start();
    await until(() => hasGivenUp(service, EXIT.neverReady), 'the supervisor gives up');
    // No other worker may start.
    await pause(1_000);
    return `gives up after ${service.journal(/^crashes/).length} crashes, ${service.forkCount()} starts`;
  },
  expect: same('gives up after 4 crashes, 4 starts'),
});
