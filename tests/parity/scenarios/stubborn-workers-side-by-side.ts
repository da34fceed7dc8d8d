/** Four workers that do not leave; the supervisor gets SIGTERM. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { gone } from '../steps.js';

export default scenario({
  chapter: 'Stopping',
  promise: 'SIGTERM to the supervisor ends within one `kill_timeout`',
  app: { instances: 4, kill_timeout: 1_000, env: { STUBBORN: 'yes' } },
  async play(service) {
    const pids = await service.started(4);
    service.killSupervisor('SIGTERM');
    await gone(pids);
    await until(() => !service.alive(), 'the supervisor has ended');
    const orders = service.journal(/^ordered/).map(({ at }) => at);
    const apart = Math.max(...orders) - Math.min(...orders);
    return apart < 900 ? 'all have their time side by side' : 'one has its time after the other';
  },
  expect: better({
    pm2: 'one has its time after the other',
    native: 'all have their time side by side',
    how: "the system's own patience with a stop (10 to 90 s) is not used up by the number of workers",
  }),
});
