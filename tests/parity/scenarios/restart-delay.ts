/** `restart_delay: 700` and a worker that crashes at boot. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { delaysAfterCrashes } from '../steps.js';

const DELAY_MS = 700;

export default scenario({
  section: 'Restarts',
  title: 'the successor of a crashed worker starts after `restart_delay`',
  app: { instances: 1, restart_delay: DELAY_MS },
  async run(service) {
    service.writeFile('crash', '1');
    await service.start();
    await until(() => service.journal(/^boots/).length > 3, 'there were enough restarts');
    const delays = delaysAfterCrashes(service).slice(0, 3);
    // A growing delay would have doubled by the third time.
    return delays.every(ms => ms >= DELAY_MS && ms < 2 * DELAY_MS)
      ? 'waits as configured'
      : `waits ${delays.join(', ')} ms`;
  },
  expect: same('waits as configured'),
});
