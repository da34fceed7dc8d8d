/** From three workers to one. */
import { isAlive } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';

export default scenario({
  section: 'Scale',
  title: 'scaling to one keeps a worker that served before',
  app: { instances: 3 },
  async run(service) {
    const before = await service.startAndServe(3);
    await service.scale(1);
    const [left = 0] = await service.servingPids(1);
    await service.untilAnswering();
    const living = before.filter(isAlive).length;
    return before.includes(left) && living === 1 ? 'one of the three stays' : `${living} of the three stay`;
  },
  expect: same('one of the three stays'),
});
