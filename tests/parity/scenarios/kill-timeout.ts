/** Workers that do not leave when they are told to. */
import { same, scenario } from '../scenario.js';
import { gone } from '../steps.js';

export default scenario({
  chapter: 'Stopping',
  promise: 'a worker that does not leave is killed after `kill_timeout`',
  app: { instances: 1, kill_timeout: 1_000, env: { STUBBORN: 'yes' } },
  async play(service) {
    const pids = await service.started(1);
    await service.stop();
    await gone(pids);
    const [order] = service.journal(/^ordered/);
    const ms = Date.now() - (order?.at ?? 0);
    return ms >= 1_000 && ms < 3_500 ? 'killed when its time was over' : `gone ${ms} ms after the order`;
  },
  expect: same('killed when its time was over'),
});
