/** A job: `autorestart: false`, and `cron_restart` every two seconds. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';

export default scenario({
  section: 'Memory, cron and watch',
  title: 'a job with `autorestart: false` runs at every tick of `cron_restart`',
  program: 'job.js',
  app: { instances: 1, wait_ready: false, autorestart: false, cron_restart: '*/2 * * * * *' },
  async run(service) {
    await service.start();
    await until(() => service.journal(/^exits/).length >= 3, 'the job has run three times');
    const runs = service.journal(/^boots/).map(({ at }) => at);
    // The first run may be at any time before a tick.
    const intervals = runs.slice(2).map((at, index) => at - (runs[index + 1] ?? 0));
    return intervals.every(ms => ms > 1_000) ? 'runs at every tick, and only then' : 'runs without a tick';
  },
  expect: same('runs at every tick, and only then'),
});
