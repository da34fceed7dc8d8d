/** The same with `treekill: false`. */
import { isAlive, until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { helpersOf, leftOf } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: '`treekill: false` leaves the processes that a worker has started alone',
  program: 'helped.js',
  app: { instances: 1, treekill: false },
  async run(service) {
    await service.startAndServe(1);
    await until(() => helpersOf(service).length === 1, 'the worker has a helper');
    await service.stop();
    const left = await leftOf(helpersOf(service));
    for (const pid of helpersOf(service).filter(isAlive)) process.kill(pid, 'SIGKILL');
    return left === 0 ? 'no helper is left' : 'the helper is left';
  },
  expect: same('the helper is left'),
});
