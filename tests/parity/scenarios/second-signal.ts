/** SIGTERM twice, with a worker that ignores orders and a long `kill_timeout`. */
import { DEBOUNCE_MS } from '../../../src/platform/debounce-signal.js';
import { isAlive, until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { becomesTrue, pause } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'a second signal ends the service at once',
  app: { instances: 1, kill_timeout: 6_000, env: { IGNORE_ORDERS: 'yes' } },
  async run(service) {
    const pids = await service.startAndServe(1);
    service.killSupervisor('SIGTERM');
    await until(() => service.journal(/^ordered/).length > 0, 'the worker has the order');
    await pause(DEBOUNCE_MS + 100); // earlier it would count as the same signal
    service.killSupervisor('SIGTERM');
    const hasEnded = await becomesTrue(() => !pids.some(isAlive), 3_000);
    return hasEnded ? 'ends at once' : 'still waits for the worker';
  },
  expect: better({
    pm2: 'still waits for the worker',
    native: 'ends at once',
    reason: 'an operator need not wait for `kill_timeout`',
  }),
});
