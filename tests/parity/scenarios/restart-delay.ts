/** `restart_delay: 700` and a worker that crashes at boot. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { pausesAfterCrashes } from '../steps.js';

const DELAY_MS = 700;

export default scenario({
  chapter: 'Restarts',
  promise: 'a crashed worker gets its successor after `restart_delay`',
  app: { instances: 1, restart_delay: DELAY_MS },
  async play(service) {
    service.put('crash', '1');
    await service.start();
    await until(() => service.journal(/^boots/).length > 3, 'it has been tried often enough');
    const pauses = pausesAfterCrashes(service).slice(0, 3);
    // A delay that grew would have doubled by the third time.
    return pauses.every(ms => ms >= DELAY_MS && ms < 2 * DELAY_MS)
      ? 'waits as promised'
      : `waits ${pauses.join(', ')} ms`;
  },
  expect: same('waits as promised'),
});
