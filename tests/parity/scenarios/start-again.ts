/** A stop, then a start. */
import { same, scenario } from '../scenario.js';
import { untilExited, instanceNumberOf, allServing } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'a stopped service frees its port and starts again with the same instance numbers',
  async run(service) {
    const before = await service.startAndServe(2);
    await service.stop();
    await untilExited(before);
    const closed = await service.get('/').then(
      () => 'still answers',
      (error: NodeJS.ErrnoException) => error.code,
    );
    await service.start();
    const now = await allServing(service);
    await service.untilAnswering();
    const again = service.journal(/^boots/).filter(({ pid }) => now.includes(pid));
    return `${closed}, then instances ${again.map(instanceNumberOf).toSorted().join(' and ')}`;
  },
  expect: same('ECONNREFUSED, then instances 0 and 1'),
});
