/** A worker that never says that it is ready, and a short `listen_timeout`. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';

export default scenario({
  chapter: 'Readiness',
  promise: 'a worker that is never ready is not said to serve',
  app: { instances: 1, listen_timeout: 500, max_restarts: 2, env: { BOOT_MS: 600_000 } },
  async play(service) {
    await service.start();
    let seen = '';
    await until(async () => {
      const [worker] = await service.workers();
      if (worker?.state === 'serving') seen = 'said to serve after listen_timeout, and never replaced';
      if (!service.alive()) seen = 'tried again, then given up';
      return seen !== '';
    }, 'it is judged');
    const boots = service.journal(/^boots/).length;
    return boots > 1 ? `${seen}, after ${boots} tries` : seen;
  },
  expect: better({
    pm2: 'said to serve after listen_timeout, and never replaced',
    native: 'tried again, then given up, after 2 tries',
    how: 'the expiry of listen_timeout is a failed start, not a success',
  }),
});
