/** A promise is rejected and nobody listens: Node ends such a process. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { comesTrue, provoke } from '../steps.js';

export default scenario({
  chapter: 'Restarts',
  promise: 'a worker with an unhandled rejection is replaced',
  app: { instances: 1 },
  async play(service) {
    const [victim = 0] = await service.started(1);
    await provoke(service, '/reject');
    await until(() => service.logs().some(line => line.includes('rejected on request')), 'it is logged');
    // Whoever is to be replaced is so long before this is over.
    if (!(await comesTrue(() => service.starts() > 1, 3_000)))
      return 'logged, and the worker goes on in an unknown state';
    await until(() => service.journal(/^listens/).length === 2, 'a new worker listens');
    const [successor] = await service.serving(1);
    return successor === victim ? 'logged, and not replaced' : 'logged and replaced';
  },
  expect: better({
    pm2: 'logged, and the worker goes on in an unknown state',
    native: 'logged and replaced',
    how: "Node's own default stays in force",
  }),
});
