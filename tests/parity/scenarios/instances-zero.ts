/** `instances: 0`. */
import { same, scenario } from '../scenario.js';
import { CPUS, needEveryCpu, settled } from '../steps.js';

export default scenario({
  chapter: 'Counting',
  promise: '`0` uses every CPU',
  app: { instances: 0 },
  async play(service) {
    needEveryCpu();
    await service.start();
    const workers = await settled(service);
    return workers.length === CPUS ? 'a worker for each CPU' : `${workers.length} workers on ${CPUS} CPUs`;
  },
  expect: same('a worker for each CPU'),
});
