/** `instance_var: 'SLOT'`. */
import { same, scenario } from '../scenario.js';
import { variablesOf } from '../steps.js';

export default scenario({
  section: 'Number of workers',
  title: '`instance_var` renames NODE_APP_INSTANCE',
  app: { instances: 1, instance_var: 'SLOT' },
  async run(service) {
    await service.startAndServe(1);
    return variablesOf(service, 'SLOT', 'NODE_APP_INSTANCE');
  },
  expect: same('SLOT 0, NODE_APP_INSTANCE unset'),
});
