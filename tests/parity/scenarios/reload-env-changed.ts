/** A variable of `env` is changed in the file, then the service is reloaded. */
import { same, scenario } from '../scenario.js';
import { gone, read } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'a reload takes over `env` from the file',
  app: { env: { COLOUR: 'old' } },
  async play(service) {
    const before = await service.started(2);
    service.describe({ env: { COLOUR: 'new' } });
    await service.reload();
    await gone(before);
    return read(service, '/env?COLOUR');
  },
  expect: same('new'),
});
