/** `--env production` with variables in `deploy.production.env` only. */
import { same, scenario } from '../scenario.js';
import { variablesOf } from '../steps.js';

const deployed = { COLOUR: 'deployed', SHAPE: 'deployed', SIZE: 'deployed' };

export default scenario({
  section: 'Environment',
  title: '`--env production` takes `deploy.production.env`, over shell and `env`',
  app: { instances: 1, env: { SHAPE: 'plain' } },
  file: {
    name: 'ecosystem.config.js',
    textOf: content =>
      `module.exports = ${JSON.stringify({ ...content, deploy: { production: { env: deployed } } })};\n`,
  },
  shell: { SIZE: 'shell' },
  async run(service) {
    await service.start({ envName: 'production' });
    await service.untilAnswering();
    return variablesOf(service, 'COLOUR', 'SHAPE', 'SIZE');
  },
  expect: same('COLOUR deployed, SHAPE deployed, SIZE deployed'),
});
