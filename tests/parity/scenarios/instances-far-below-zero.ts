/** `instances` subtracts more CPUs than there are. */
import { same, scenario } from '../scenario.js';
import { CPUS, allServing } from '../steps.js';

export default scenario({
  section: 'Number of workers',
  title: 'there is always at least one worker',
  app: { instances: -1000 },
  async run(service) {
    await service.start();
    const workers = await allServing(service);
    return workers.length === 1 ? 'one worker' : `${workers.length} workers on ${CPUS} CPUs`;
  },
  expect: same('one worker'),
});
