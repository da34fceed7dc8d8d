/** A variable of `env` is removed from the file, then the service is reloaded. */
import { better, scenario } from '../scenario.js';
import { gone, read } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'what is no longer in `env` is gone after a reload',
  app: { env: { COLOUR: 'old' } },
  async play(service) {
    const before = await service.started(2);
    service.describe({ env: {} });
    await service.reload();
    await gone(before);
    return `COLOUR ${await read(service, '/env?COLOUR')}`;
  },
  expect: better({
    pm2: 'COLOUR old',
    native: 'COLOUR unset',
    how: 'the environment is made anew from the file each time',
  }),
});
