/** Three workers, scaled down to one and up again. */
import { same, scenario } from '../scenario.js';
import { instanceNumberOf } from '../steps.js';

export default scenario({
  section: 'Number of workers',
  title: 'instance numbers that became free are used again',
  app: { instances: 3 },
  async run(service) {
    await service.startAndServe(3);
    await service.scale(1);
    const [left] = await service.servingPids(1);
    await service.scale(3);
    const now = new Set(await service.servingPids(3));
    const numbers = service
      .journal(/^boots/)
      .filter(({ pid }) => now.has(pid))
      .map(instanceNumberOf);
    return left !== undefined && now.has(left)
      ? numbers.toSorted().join(', ')
      : 'the last worker was replaced';
  },
  expect: same('0, 1, 2'),
});
