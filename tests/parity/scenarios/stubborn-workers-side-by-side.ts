/** Three workers that do not leave; the supervisor gets SIGTERM. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { gone } from '../steps.js';

const KILL_MS = 2_000;

export default scenario({
  chapter: 'Stopping',
  promise: 'SIGTERM to the supervisor ends within one `kill_timeout`',
  app: { instances: 3, kill_timeout: KILL_MS, env: { STUBBORN: 'yes' } },
  async play(service) {
    const pids = await service.started(3);
    service.killSupervisor('SIGTERM');
    await gone(pids);
    await until(() => !service.alive(), 'the supervisor has ended');
    const orders = service.journal(/^ordered/).map(({ at }) => at);
    if (orders.length !== pids.length) return `${orders.length} orders`;
    // Side by side they come at once; one after the other, each a whole kill_timeout after the one before.
    const apart = Math.max(...orders) - Math.min(...orders);
    return apart < KILL_MS ? 'all have their time side by side' : 'one has its time after the other';
  },
  expect: better({
    pm2: 'one has its time after the other',
    native: 'all have their time side by side',
    how: "the system's own patience with a stop (10 to 90 s) is not used up by the number of workers",
  }),
});
