/** A variable of `env` changes in the app file, then the service is reloaded. */
import { same, scenario } from '../scenario.js';
import { untilExited, variablesOf } from '../steps.js';

export default scenario({
  section: 'Reload',
  title: 'a reload applies changes of `env`',
  app: { env: { COLOUR: 'old' } },
  async run(service) {
    const before = await service.startAndServe(2);
    service.writeAppFile({ env: { COLOUR: 'new' } });
    await service.reload();
    await untilExited(before);
    return variablesOf(service, 'COLOUR');
  },
  expect: same('COLOUR new'),
});
