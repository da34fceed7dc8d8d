/** A worker with a helper process is reloaded, then stopped. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { countLeft, helpersOf, startWithHelper } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'the child processes of a worker end with it',
  program: 'with-helper.js',
  app: { instances: 1 },
  async run(service) {
    await startWithHelper(service);
    const first = helpersOf(service);
    await service.reload();
    await until(() => helpersOf(service).length === 2, 'the new worker has a helper');
    const afterReload = await countLeft(first);
    await service.stop();
    return `${afterReload} old helpers after a reload, ${await countLeft(helpersOf(service))} after the stop`;
  },
  expect: same('0 old helpers after a reload, 0 after the stop'),
});
