/** A request in flight needs the worker's helper process for its answer while the worker is reloaded. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { helpersOf } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'a worker that drains still has the processes that it has started',
  program: 'helped.js',
  app: { instances: 1, kill_timeout: 8_000 },
  async run(service) {
    await service.startAndServe(1);
    await until(() => helpersOf(service).length === 1, 'the worker has a helper');
    const held = service.get('/held');
    await until(() => service.journal(/^holds/).length === 1, 'the request is in flight');
    const reload = service.reload();
    await until(() => service.journal(/^ordered/).length === 1, 'the old worker has its order');
    service.writeFile('release', '');
    const { text } = await held;
    await reload;
    return text;
  },
  expect: better({
    pm2: 'the helper has ended',
    native: 'answered',
    reason: 'helpers end after their worker; PM2 signals all of them at once',
  }),
});
