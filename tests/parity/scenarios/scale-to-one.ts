/** From three workers to a single one. */
import { isAlive } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';

export default scenario({
  chapter: 'Scale',
  promise: 'scaling to one leaves a worker that served before',
  app: { instances: 3 },
  async play(service) {
    const before = await service.started(3);
    await service.scale(1);
    const [left = 0] = await service.serving(1);
    await service.answers();
    const living = before.filter(isAlive).length;
    return before.includes(left) && living === 1
      ? 'one of the three serves on'
      : `${living} of the three live`;
  },
  expect: same('one of the three serves on'),
});
