/** A worker that was stable for longer than `min_uptime` × `max_restarts` begins to crash at boot. */
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { hasGivenUp, pause, trigger } from '../steps.js';

const MAX_RESTARTS = 4;
const MIN_UPTIME_MS = 200;

export default scenario({
  section: 'Restarts',
  title: 'a crash loop ends, however late it begins',
  app: { instances: 1, max_restarts: MAX_RESTARTS, min_uptime: MIN_UPTIME_MS },
  async run(service) {
    await service.startAndServe(1);
    await pause((MAX_RESTARTS + 1) * MIN_UPTIME_MS);
    service.writeFile('crash', '1');
    await trigger(service, '/exit?1');
    const crashes = (): number => service.journal(/^crashes/).length;
    let isGivenUp = false;
    await until(async () => {
      isGivenUp = await hasGivenUp(service, EXIT.gaveUp);
      return isGivenUp || crashes() > 3 * MAX_RESTARTS;
    }, 'the supervisor gives up, or goes on');
    return isGivenUp ? `gives up after ${crashes()} crashes` : 'restarts the worker without end';
  },
  expect: better({
    pm2: 'restarts the worker without end',
    native: `gives up after ${MAX_RESTARTS} crashes`,
    reason: 'unstable exits in a row count at any age of the service',
  }),
});
