/** `--env production`. */
import { same, scenario } from '../scenario.js';
import { variablesOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: '`--env production` overrides `env` with `env_production`',
  app: {
    instances: 1,
    env: { COLOUR: 'plain', SHAPE: 'plain' },
    env_production: { COLOUR: 'production' },
    env_staging: { COLOUR: 'staging' },
  },
  async run(service) {
    await service.start({ envName: 'production' });
    await service.untilAnswering();
    return variablesOf(service, 'COLOUR', 'SHAPE');
  },
  expect: same('COLOUR production, SHAPE plain'),
});
