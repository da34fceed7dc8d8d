/** A promise is rejected and nobody listens: Node ends such a process. */
import { isAlive, until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { gone, pause, provoke } from '../steps.js';

export default scenario({
  chapter: 'Restarts',
  promise: 'a worker with an unhandled rejection is replaced',
  app: { instances: 1 },
  async play(service) {
    const [victim = 0] = await service.started(1);
    await provoke(service, '/reject');
    await until(() => service.logs().some(line => line.includes('rejected on request')), 'it is logged');
    // Whoever is to be replaced is so long before this is over.
    await Promise.race([gone([victim]), pause(2_000)]);
    return isAlive(victim) ? 'logged, and the worker goes on in an unknown state' : 'logged and replaced';
  },
  expect: better({
    pm2: 'logged, and the worker goes on in an unknown state',
    native: 'logged and replaced',
    how: "Node's own default stays in force",
  }),
});
