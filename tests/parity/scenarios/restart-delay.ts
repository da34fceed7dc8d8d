/** `restart_delay: 700` and a worker that crashes at boot. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { pausesBetween } from '../steps.js';

export default scenario({
  chapter: 'Restarts',
  promise: 'a crashed worker gets its successor after `restart_delay`',
  app: { instances: 1, restart_delay: 700 },
  async play(service) {
    service.put('crash', '1');
    await service.start();
    await until(() => service.journal(/^boots/).length > 3, 'it has been tried often enough');
    const pauses = pausesBetween(service.journal(/^boots/)).slice(0, 3);
    return pauses.every(ms => ms >= 700 && ms < 2_200)
      ? 'waits as promised'
      : `waits ${pauses.join(', ')} ms`;
  },
  expect: same('waits as promised'),
});
