/** A worker that was well for longer than `min_uptime` × `max_restarts` begins to crash at boot. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { pause, provoke } from '../steps.js';

const MAX_RESTARTS = 4;

export default scenario({
  chapter: 'Restarts',
  promise: 'a crash loop ends whenever it begins',
  app: { instances: 1, max_restarts: MAX_RESTARTS, min_uptime: 200 },
  async play(service) {
    await service.started(1);
    await pause(MAX_RESTARTS * 200 + 200);
    service.put('crash', '1');
    await provoke(service, '/exit?1');
    const loops = (): number => service.journal(/^boots/).length - 1;
    let isGivenUp = false;
    await until(async () => {
      isGivenUp = (await service.workers()).every(({ state }) => state === 'errored');
      return isGivenUp || loops() > 3 * MAX_RESTARTS;
    }, 'it is given up, or plainly goes on');
    return isGivenUp && loops() <= MAX_RESTARTS ? 'given up after max_restarts' : 'crashes on without end';
  },
  expect: better({
    pm2: 'crashes on without end',
    native: 'given up after max_restarts',
    how: 'unstable exits in a row count at any age of the service',
  }),
});
