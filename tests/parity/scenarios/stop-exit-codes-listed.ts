/** `stop_exit_codes` with a backoff: the state that is listed for a worker that is not replaced. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { pause, trigger } from '../steps.js';

export default scenario({
  section: 'Restarts',
  title: 'a worker that will not be replaced is listed as stopped',
  app: { stop_exit_codes: [7], exp_backoff_restart_delay: 100 },
  async run(service) {
    await service.startAndServe(2);
    await trigger(service, '/exit?7');
    await until(
      async () => (await service.workers()).some(({ state }) => state !== 'serving'),
      'one has exited',
    );
    await pause(1_000);
    const states = (await service.workers()).map(({ state }) => state);
    return `${service.journal(/^boots/).length} boots; ${states.toSorted().join(', ')}`;
  },
  expect: better({
    pm2: '2 boots; serving, waiting',
    native: '2 boots; serving, stopped',
    reason: 'PM2 lists it as waiting for a restart that never comes',
  }),
});
