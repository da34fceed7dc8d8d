/** A reload without `--env` of a service that was started with one. */
import { better, scenario } from '../scenario.js';
import { untilExited, variablesOf } from '../steps.js';

export default scenario({
  section: 'Reload',
  title: 'a reload without `--env` keeps the environment',
  app: { env: { COLOUR: 'plain' }, env_production: { COLOUR: 'production', SHAPE: 'production' } },
  async run(service) {
    await service.start({ envName: 'production' });
    const before = await service.servingPids(2);
    await service.reload({});
    await untilExited(before);
    return variablesOf(service, 'COLOUR', 'SHAPE');
  },
  expect: better({
    pm2: 'COLOUR plain, SHAPE production',
    native: 'COLOUR production, SHAPE production',
    reason: 'SIGHUP, `cron_restart` and `watch` name no environment; under PM2 two environments are mixed',
  }),
});
