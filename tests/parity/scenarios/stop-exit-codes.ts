/** `stop_exit_codes: [7]`; one of two workers exits with 7, then the other one with 8. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { pause, trigger } from '../steps.js';

export default scenario({
  section: 'Restarts',
  title: 'a worker is replaced unless it exits with one of `stop_exit_codes`',
  app: { stop_exit_codes: [7] },
  async run(service) {
    await service.startAndServe(2);
    await trigger(service, '/exit?7');
    await until(
      async () => (await service.workers()).some(({ state }) => state === 'stopped'),
      'the first one is stopped',
    );
    await trigger(service, '/exit?8');
    await until(() => service.journal(/^listens/).length === 3, 'the other one is replaced');
    await service.servingPids(1);
    // No other worker may start.
    await pause(500);
    const states = (await service.workers()).map(({ state }) => state);
    return `${service.journal(/^boots/).length} boots; ${states.toSorted().join(', ')}`;
  },
  expect: same('3 boots; serving, stopped'),
});
