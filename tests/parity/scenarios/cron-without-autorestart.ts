/** A job: `autorestart: false`, and `cron_restart` every two seconds. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';

export default scenario({
  chapter: 'Limits and clocks',
  promise: 'a job runs at every tick of `cron_restart`',
  program: 'job.js',
  app: { instances: 1, wait_ready: false, autorestart: false, cron_restart: '*/2 * * * * *' },
  async play(service) {
    await service.start();
    await until(() => service.journal(/^leaves/).length >= 3, 'it has run three times');
    const runs = service.journal(/^boots/).map(({ at }) => at);
    // Of the first run nobody can say how long it is before a tick.
    const pauses = runs.slice(2).map((at, index) => at - (runs[index + 1] ?? 0));
    return pauses.every(ms => ms > 1_000) ? 'runs at every tick, and only then' : 'runs without a tick';
  },
  expect: same('runs at every tick, and only then'),
});
