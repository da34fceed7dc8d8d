/** Stopped, then started again. */
import { same, scenario } from '../scenario.js';
import { gone, instanceOf, settled } from '../steps.js';

export default scenario({
  chapter: 'Stopping',
  promise: 'a stopped service has left its port, and starts again as if it were the first time',
  async play(service) {
    const before = await service.started(2);
    await service.stop();
    await gone(before);
    const closed = await service.get('/').then(
      () => 'still answers',
      (error: NodeJS.ErrnoException) => error.code,
    );
    await service.start();
    const now = await settled(service);
    await service.answers();
    const again = service.journal(/^boots/).filter(({ pid }) => now.includes(pid));
    return `${closed}, then instances ${again.map(instanceOf).toSorted().join(' and ')}`;
  },
  expect: same('ECONNREFUSED, then instances 0 and 1'),
});
