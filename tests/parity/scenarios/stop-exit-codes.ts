/** `stop_exit_codes: [7]`; one of two workers ends with 7, then the other one with 8. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { pause, provoke } from '../steps.js';

export default scenario({
  chapter: 'Restarts',
  promise: 'a worker that ends with one of `stop_exit_codes` is not replaced, any other one is',
  app: { stop_exit_codes: [7] },
  async play(service) {
    await service.started(2);
    await provoke(service, '/exit?7');
    await until(
      async () => (await service.workers()).some(({ state }) => state === 'stopped'),
      'one is stopped',
    );
    await provoke(service, '/exit?8');
    await until(() => service.journal(/^listens/).length === 3, 'the other one is replaced');
    await service.serving(1);
    // And nothing follows.
    await pause(500);
    const states = (await service.workers()).map(({ state }) => state);
    return `${service.journal(/^boots/).length} boots; ${states.toSorted().join(', ')}`;
  },
  expect: same('3 boots; serving, stopped'),
});
