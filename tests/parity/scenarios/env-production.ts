/** `--env production`. */
import { same, scenario } from '../scenario.js';
import { read } from '../steps.js';

export default scenario({
  chapter: 'Environment',
  promise: '`--env production` lays env_production over env',
  app: {
    instances: 1,
    env: { COLOUR: 'plain', SHAPE: 'plain' },
    env_production: { COLOUR: 'production' },
    env_staging: { COLOUR: 'staging' },
  },
  async play(service) {
    await service.start({ envName: 'production' });
    await service.answers();
    return `COLOUR ${await read(service, '/env?COLOUR')}, SHAPE ${await read(service, '/env?SHAPE')}`;
  },
  expect: same('COLOUR production, SHAPE plain'),
});
