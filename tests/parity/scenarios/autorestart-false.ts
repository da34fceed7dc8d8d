/** `autorestart: false`; one of two workers exits. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { pause, trigger } from '../steps.js';

export default scenario({
  section: 'Restarts',
  title: 'with `autorestart: false` a worker that exits is not replaced',
  app: { autorestart: false },
  async run(service) {
    await service.startAndServe(2);
    await trigger(service, '/exit?1');
    await until(
      async () => (await service.workers()).some(({ state }) => state === 'stopped'),
      'one is stopped',
    );
    // No other worker may start.
    await pause(500);
    const states = (await service.workers()).map(({ state }) => state);
    return `${service.journal(/^boots/).length} boots; ${states.toSorted().join(', ')}`;
  },
  expect: same('2 boots; serving, stopped'),
});
