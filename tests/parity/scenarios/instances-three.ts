/** `instances` is a plain number. */
import { same, scenario } from '../scenario.js';
import { CPUS, allServing } from '../steps.js';

export default scenario({
  section: 'Number of workers',
  title: 'a number starts that many workers on any machine',
  app: { instances: 3 },
  async run(service) {
    await service.start();
    const workers = await allServing(service);
    return workers.length === 3 ? 'three workers' : `${workers.length} workers on ${CPUS} CPUs`;
  },
  expect: same('three workers'),
});
