/** A worker with a helper process takes the order to stop as a message. */
import { isAlive, until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { helpersOf, leftOf } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'the processes that a worker has started end with it, also with `shutdown_with_message`',
  program: 'helped.js',
  app: { instances: 1, shutdown_with_message: true },
  async run(service) {
    await service.startAndServe(1);
    await until(() => helpersOf(service).length === 1, 'the worker has a helper');
    await service.stop();
    const left = await leftOf(helpersOf(service));
    for (const pid of helpersOf(service).filter(isAlive)) process.kill(pid, 'SIGKILL');
    return left === 0 ? 'no helper is left' : 'the helper is left';
  },
  expect: better({
    pm2: 'the helper is left',
    native: 'no helper is left',
    reason: 'helpers end after their worker, however it was stopped',
  }),
});
