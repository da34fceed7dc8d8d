/** `filter_env: true`, with a secret in the shell. */
import { better, scenario } from '../scenario.js';
import { variablesOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: '`filter_env: true` keeps all shell variables from the worker',
  shell: { SECRET_KEY: 'visible' },
  app: { instances: 1, env: { COLOUR: 'red' }, filter_env: true },
  async run(service) {
    // The port is a shell variable, too, and may be filtered.
    service.writeAppFile({ env: { COLOUR: 'red', PORT: service.port } });
    await service.startAndServe(1);
    return variablesOf(service, 'SECRET_KEY', 'COLOUR');
  },
  expect: better({
    pm2: 'SECRET_KEY visible, COLOUR red',
    native: 'SECRET_KEY unset, COLOUR red',
    reason: 'under PM2 `true` filters nothing',
  }),
});
