/** `instance_var: 'SEAT'`. */
import { same, scenario } from '../scenario.js';
import { read } from '../steps.js';

export default scenario({
  chapter: 'Counting',
  promise: '`instance_var` renames NODE_APP_INSTANCE',
  app: { instances: 1, instance_var: 'SEAT' },
  async play(service) {
    await service.started(1);
    return `SEAT ${await read(service, '/env?SEAT')}, NODE_APP_INSTANCE ${await read(service, '/env?NODE_APP_INSTANCE')}`;
  },
  expect: same('SEAT 0, NODE_APP_INSTANCE unset'),
});
