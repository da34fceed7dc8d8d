/** `port` beside `env_NAME`. */
import { same, scenario } from '../scenario.js';
import { variablesOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: 'PORT of `env_NAME` overrides `port`',
  async run(service) {
    const app = {
      instances: 1,
      port: 1,
      env: { PORT: '2' },
      env_other: { PORT: service.port, COLOUR: 'other' },
    };
    service.writeAppFile(app);
    await service.start({ envName: 'other' });
    await service.untilAnswering();
    return `listens on the port of env_other, ${await variablesOf(service, 'COLOUR')}`;
  },
  expect: same('listens on the port of env_other, COLOUR other'),
});
