/** The same variable in the shell and in `env`. */
import { same, scenario } from '../scenario.js';
import { variablesOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: '`env` overrides the shell, and other shell variables reach the worker',
  shell: { COLOUR: 'from the shell', SHAPE: 'from the shell' },
  app: { instances: 1, env: { COLOUR: 'from the app file' } },
  async run(service) {
    await service.startAndServe(1);
    return variablesOf(service, 'COLOUR', 'SHAPE');
  },
  expect: same('COLOUR from the app file, SHAPE from the shell'),
});
