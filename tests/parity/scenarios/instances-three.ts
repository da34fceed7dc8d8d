/** A plain number. */
import { same, scenario } from '../scenario.js';
import { CPUS, settled } from '../steps.js';

export default scenario({
  chapter: 'Counting',
  promise: 'a number is that many, whatever the machine has',
  app: { instances: 3 },
  async play(service) {
    await service.start();
    const workers = await settled(service);
    return workers.length === 3 ? 'three workers' : `${workers.length} workers on ${CPUS} CPUs`;
  },
  expect: same('three workers'),
});
