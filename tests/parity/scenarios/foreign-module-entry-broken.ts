/** An ES module as the entry that fails as it is loaded. */
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { comesTrue, hasGivenUp } from '../steps.js';

export default scenario({
  chapter: 'Apps that are not ours',
  promise: 'an ES module that cannot be loaded is not said to serve',
  program: 'broken.mjs',
  app: { instances: 1, wait_ready: false, max_restarts: 3 },
  async play(service) {
    await service.start();
    await until(
      () => service.logs().some(line => line.includes('broken.mjs:2')),
      'it is logged, with its line of the program',
    );
    // Three tries take a second.
    const isGivenUp = await comesTrue(() => hasGivenUp(service, EXIT.neverReady), 5_000);
    if (isGivenUp) return `given up after ${service.starts()} starts`;
    const states = (await service.workers()).map(({ state }) => state);
    return `${service.starts()} start, said to be ${states.join(', ')}, and never replaced`;
  },
  expect: better({
    pm2: '1 start, said to be serving, and never replaced',
    native: 'given up after 3 starts',
    how: 'nothing that is broken looks well',
  }),
});
