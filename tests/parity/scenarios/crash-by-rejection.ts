/** A promise is rejected without a handler: Node ends such a process. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { becomesTrue, trigger } from '../steps.js';

export default scenario({
  section: 'Restarts',
  title: 'a worker with an unhandled rejection is replaced',
  app: { instances: 1 },
  async run(service) {
    const [victim = 0] = await service.startAndServe(1);
    await trigger(service, '/reject');
    await until(
      () => service.workerLogs().some(line => line.includes('rejected on request')),
      'it is logged',
    );
    // A replacement would come much earlier.
    if (!(await becomesTrue(() => service.forkCount() > 1, 3_000)))
      return 'logged, and the worker keeps running';
    await until(() => service.journal(/^listens/).length === 2, 'a new worker listens');
    const [successor] = await service.servingPids(1);
    return successor === victim ? 'logged, and not replaced' : 'logged and replaced';
  },
  expect: better({
    pm2: 'logged, and the worker keeps running',
    native: 'logged and replaced',
    reason: "Node's own default applies",
  }),
});
