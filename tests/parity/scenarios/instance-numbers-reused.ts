/** Three workers, scaled down to one and up again. */
import { same, scenario } from '../scenario.js';
import { instanceOf } from '../steps.js';

export default scenario({
  chapter: 'Counting',
  promise: 'numbers that became free are given again',
  app: { instances: 3 },
  async play(service) {
    await service.started(3);
    await service.scale(1);
    const [left] = await service.serving(1);
    await service.scale(3);
    const now = new Set(await service.serving(3));
    const numbers = service
      .journal(/^boots/)
      .filter(({ pid }) => now.has(pid))
      .map(instanceOf);
    return left !== undefined && now.has(left) ? numbers.toSorted().join(', ') : 'the one left was replaced';
  },
  expect: same('0, 1, 2'),
});
