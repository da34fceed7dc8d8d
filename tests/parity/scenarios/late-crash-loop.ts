/** A worker that was well for longer than `min_uptime` × `max_restarts` begins to crash at boot. */
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { hasGivenUp, pause, provoke } from '../steps.js';

const MAX_RESTARTS = 4;
const MIN_UPTIME_MS = 200;

export default scenario({
  chapter: 'Restarts',
  promise: 'a crash loop ends whenever it begins',
  app: { instances: 1, max_restarts: MAX_RESTARTS, min_uptime: MIN_UPTIME_MS },
  async play(service) {
    await service.started(1);
    await pause((MAX_RESTARTS + 1) * MIN_UPTIME_MS);
    service.put('crash', '1');
    await provoke(service, '/exit?1');
    const crashes = (): number => service.journal(/^crashes/).length;
    let isGivenUp = false;
    await until(async () => {
      isGivenUp = await hasGivenUp(service, EXIT.gaveUp);
      return isGivenUp || crashes() > 3 * MAX_RESTARTS;
    }, 'it is given up, or plainly goes on');
    return isGivenUp ? `given up after ${crashes()} crashes` : 'crashes on without end';
  },
  expect: better({
    pm2: 'crashes on without end',
    native: `given up after ${MAX_RESTARTS} crashes`,
    how: 'unstable exits in a row count at any age of the service',
  }),
});
