/** `filter_env: ['SECRET']`, with a secret in the shell. */
import { better, scenario } from '../scenario.js';
import { variablesOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: '`filter_env` keeps the named shell variables from the worker',
  shell: { SECRET_KEY: 'visible' },
  app: { instances: 1, env: { COLOUR: 'red' }, filter_env: ['SECRET'] },
  async run(service) {
    // The port is a shell variable, too, and may be filtered.
    service.writeAppFile({ env: { COLOUR: 'red', PORT: service.port } });
    await service.startAndServe(1);
    return variablesOf(service, 'SECRET_KEY', 'COLOUR');
  },
  expect: better({
    pm2: 'SECRET_KEY visible, COLOUR red',
    native: 'SECRET_KEY unset, COLOUR red',
    reason: 'under PM2 the worker still gets the variables with which the daemon was started',
  }),
});
