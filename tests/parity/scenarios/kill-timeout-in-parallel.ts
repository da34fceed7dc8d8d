/** Three workers that ignore orders; the supervisor gets SIGTERM. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { untilExited } from '../steps.js';

const KILL_MS = 2_000;

export default scenario({
  section: 'Stop',
  title: 'SIGTERM to the supervisor ends the service within one `kill_timeout`',
  app: { instances: 3, kill_timeout: KILL_MS, env: { IGNORE_ORDERS: 'yes' } },
  async run(service) {
    const pids = await service.startAndServe(3);
    service.killSupervisor('SIGTERM');
    await untilExited(pids);
    await until(() => !service.supervisorRuns(), 'the supervisor has ended');
    const orders = service.journal(/^ordered/).map(({ at }) => at);
    if (orders.length !== pids.length) return `${orders.length} orders`;
    // In parallel the orders come at once; otherwise each comes one kill_timeout after the one before.
    const apart = Math.max(...orders) - Math.min(...orders);
    return apart < KILL_MS ? 'all workers in parallel' : 'one worker after another';
  },
  expect: better({
    pm2: 'one worker after another',
    native: 'all workers in parallel',
    reason: 'the time that the system allows for a stop (10 to 90 s) is enough for any number of workers',
  }),
});
