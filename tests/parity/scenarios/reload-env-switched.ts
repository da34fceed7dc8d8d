/** A reload names another environment of the app file. */
import { same, scenario } from '../scenario.js';
import { untilExited, variablesOf } from '../steps.js';

export default scenario({
  section: 'Reload',
  title: 'a reload with `--env staging` switches the environment',
  app: {
    env: { COLOUR: 'plain', SHAPE: 'plain' },
    env_production: { COLOUR: 'production' },
    env_staging: { COLOUR: 'staging' },
  },
  async run(service) {
    await service.start({ envName: 'production' });
    const before = await service.servingPids(2);
    await service.reload({ envName: 'staging' });
    await untilExited(before);
    return variablesOf(service, 'COLOUR', 'SHAPE');
  },
  expect: same('COLOUR staging, SHAPE plain'),
});
