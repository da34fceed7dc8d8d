/** `stop_exit_codes` beside a backoff: what the listing says of a worker that is not replaced. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { pause, provoke } from '../steps.js';

export default scenario({
  chapter: 'Restarts',
  promise: 'a worker that will not be replaced is listed as stopped',
  app: { stop_exit_codes: [7], exp_backoff_restart_delay: 100 },
  async play(service) {
    await service.started(2);
    await provoke(service, '/exit?7');
    await until(
      async () => (await service.workers()).some(({ state }) => state !== 'serving'),
      'one is away',
    );
    await pause(1_000);
    const states = (await service.workers()).map(({ state }) => state);
    return `${service.journal(/^boots/).length} boots; ${states.toSorted().join(', ')}`;
  },
  expect: better({
    pm2: '2 boots; serving, waiting',
    native: '2 boots; serving, stopped',
    how: 'PM2 lists it as waiting for a restart that never comes',
  }),
});
