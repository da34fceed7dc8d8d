/** `filter_env: true`, with a secret in the shell. */
import { better, scenario } from '../scenario.js';
import { read } from '../steps.js';

export default scenario({
  chapter: 'Environment',
  promise: '`filter_env: true` keeps the shell away',
  shell: { SECRET_KEY: 'hush' },
  app: { instances: 1, env: { COLOUR: 'kept' }, filter_env: true },
  async play(service) {
    // The port comes from the shell, too, and may be filtered.
    service.describe({ env: { COLOUR: 'kept', PORT: service.port } });
    await service.started(1);
    return `SECRET_KEY ${await read(service, '/env?SECRET_KEY')}, COLOUR ${await read(service, '/env?COLOUR')}`;
  },
  expect: better({
    pm2: 'SECRET_KEY hush, COLOUR kept',
    native: 'SECRET_KEY unset, COLOUR kept',
    how: 'under PM2 `true` filters nothing',
  }),
});
