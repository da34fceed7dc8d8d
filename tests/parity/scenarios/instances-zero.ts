/** `instances: 0`. */
import { same, scenario } from '../scenario.js';
import { CPUS, requireAllCpus, allServing } from '../steps.js';

export default scenario({
  section: 'Number of workers',
  title: '`0` starts a worker for each CPU',
  app: { instances: 0 },
  async run(service) {
    requireAllCpus();
    await service.start();
    const workers = await allServing(service);
    return workers.length === CPUS ? 'a worker for each CPU' : `${workers.length} workers on ${CPUS} CPUs`;
  },
  expect: same('a worker for each CPU'),
});
