/** A worker that has started a helper process is reloaded, and stopped. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { helpersOf, leftOf } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'the processes that a worker has started end with it',
  program: 'helped.js',
  app: { instances: 1 },
  async run(service) {
    await service.startAndServe(1);
    await until(() => helpersOf(service).length === 1, 'the worker has a helper');
    const first = helpersOf(service);
    await service.reload();
    await until(() => helpersOf(service).length === 2, 'the new worker has a helper');
    const afterReload = await leftOf(first);
    await service.stop();
    return `${afterReload} old helpers after a reload, ${await leftOf(helpersOf(service))} after the stop`;
  },
  expect: same('0 old helpers after a reload, 0 after the stop'),
});
