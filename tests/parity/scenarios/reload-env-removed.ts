/** A variable disappears from `env` in the app file, then the service is reloaded. */
import { better, scenario } from '../scenario.js';
import { untilExited, variablesOf } from '../steps.js';

export default scenario({
  section: 'Reload',
  title: 'a reload removes variables that are no longer in `env`',
  app: { env: { COLOUR: 'old' } },
  async run(service) {
    const before = await service.startAndServe(2);
    service.writeAppFile({ env: {} });
    await service.reload();
    await untilExited(before);
    return variablesOf(service, 'COLOUR');
  },
  expect: better({
    pm2: 'COLOUR old',
    native: 'COLOUR unset',
    reason: 'the environment is built anew from the app file',
  }),
});
