/** From one worker to three. */
import { same, scenario } from '../scenario.js';

export default scenario({
  chapter: 'Scale',
  promise: 'scaling up adds workers and touches none that serves',
  app: { instances: 1 },
  async play(service) {
    const [first = 0] = await service.started(1);
    const { ok } = await service.scale(3);
    const now = await service.serving(3);
    return ok && now.includes(first)
      ? 'three workers, the first one among them'
      : 'the first one was replaced';
  },
  expect: same('three workers, the first one among them'),
});
