/** `instances: 'max'`. */
import { same, scenario } from '../scenario.js';
import { CPUS, needEveryCpu, settled } from '../steps.js';

export default scenario({
  chapter: 'Counting',
  promise: '`max` uses every CPU',
  app: { instances: 'max' },
  async play(service) {
    needEveryCpu();
    await service.start();
    const workers = await settled(service);
    return workers.length === CPUS ? 'a worker for each CPU' : `${workers.length} workers on ${CPUS} CPUs`;
  },
  expect: same('a worker for each CPU'),
});
