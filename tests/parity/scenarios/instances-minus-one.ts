/** `instances: -1`. */
import { same, scenario } from '../scenario.js';
import { CPUS, needEveryCpu, settled } from '../steps.js';

export default scenario({
  chapter: 'Counting',
  promise: '`-1` leaves one CPU to the system',
  app: { instances: -1 },
  async play(service) {
    needEveryCpu();
    await service.start();
    const workers = await settled(service);
    return workers.length === Math.max(1, CPUS - 1)
      ? 'a worker for each CPU but one'
      : `${workers.length} workers on ${CPUS} CPUs`;
  },
  expect: same('a worker for each CPU but one'),
});
