/** PM2_KILL_TIMEOUT. */
import { same, scenario } from '../scenario.js';

/** Far from the default of 1600 ms, with room for a busy machine. */
const KILL_MS = 5_000;

export default scenario({
  section: 'Stop',
  title: 'PM2_KILL_TIMEOUT is the `kill_timeout` of apps without one',
  app: { instances: 1, env: { IGNORE_ORDERS: 'yes' } },
  shell: { PM2_KILL_TIMEOUT: String(KILL_MS) },
  async run(service) {
    await service.startAndServe(1);
    const began = performance.now();
    await service.stop();
    return performance.now() - began >= KILL_MS ? 'killed after PM2_KILL_TIMEOUT' : 'killed earlier';
  },
  expect: same('killed after PM2_KILL_TIMEOUT'),
});
