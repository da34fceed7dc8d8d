/** `instances: -1`. */
import { same, scenario } from '../scenario.js';
import { CPUS, requireAllCpus, allServing } from '../steps.js';

export default scenario({
  section: 'Number of workers',
  title: '`-1` leaves one CPU to the system',
  app: { instances: -1 },
  async run(service) {
    requireAllCpus();
    await service.start();
    const workers = await allServing(service);
    return workers.length === Math.max(1, CPUS - 1)
      ? 'one worker fewer than CPUs'
      : `${workers.length} workers on ${CPUS} CPUs`;
  },
  expect: same('one worker fewer than CPUs'),
});
