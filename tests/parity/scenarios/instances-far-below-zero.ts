/** More CPUs are to be left free than there are. */
import { same, scenario } from '../scenario.js';
import { CPUS, settled } from '../steps.js';

export default scenario({
  chapter: 'Counting',
  promise: 'there is always one worker at least',
  app: { instances: -1000 },
  async play(service) {
    await service.start();
    const workers = await settled(service);
    return workers.length === 1 ? 'one worker' : `${workers.length} workers on ${CPUS} CPUs`;
  },
  expect: same('one worker'),
});
