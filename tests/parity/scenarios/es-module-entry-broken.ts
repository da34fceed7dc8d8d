/** An ES module as the entry that fails while it loads. */
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { becomesTrue, hasGivenUp } from '../steps.js';

export default scenario({
  section: 'Other apps',
  title: 'an ES module that fails to load is not listed as serving',
  program: 'broken.mjs',
  app: { instances: 1, wait_ready: false, max_restarts: 3 },
  async run(service) {
    await service.start();
    await until(
      () => service.workerLogs().some(line => line.includes('broken.mjs:2')),
      'the error is logged with its line in the program',
    );
    // Three starts take a second.
    const isGivenUp = await becomesTrue(() => hasGivenUp(service, EXIT.neverReady), 5_000);
    if (isGivenUp) return `gives up after ${service.forkCount()} starts`;
    const states = (await service.workers()).map(({ state }) => state);
    return `${service.forkCount()} start, listed as ${states.join(', ')}, never replaced`;
  },
  expect: better({
    pm2: '1 start, listed as serving, never replaced',
    native: 'gives up after 3 starts',
    reason: 'a broken app is reported as broken',
  }),
});
