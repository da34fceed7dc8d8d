/** A worker that never listens and exits again and again, each time after `min_uptime`. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';

const MAX_RESTARTS = 3;

export default scenario({
  section: 'Restarts',
  title: 'without `wait_ready`, `min_uptime` counts from the start of a worker',
  program: 'short-lived.js',
  app: { instances: 1, wait_ready: false, max_restarts: MAX_RESTARTS, min_uptime: 200 },
  async run(service) {
    await service.start();
    const starts = (): number => service.journal(/^works/).length;
    await until(() => starts() > 2 * MAX_RESTARTS || !service.supervisorRuns(), 'it goes on, or gives up');
    return starts() > 2 * MAX_RESTARTS ? 'is started again and again' : `gives up after ${starts()} starts`;
  },
  expect: same('is started again and again'),
});
