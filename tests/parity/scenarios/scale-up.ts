/** From one worker to three. */
import { same, scenario } from '../scenario.js';

export default scenario({
  section: 'Scale',
  title: 'scaling up adds workers and keeps the others',
  app: { instances: 1 },
  async run(service) {
    const [first = 0] = await service.startAndServe(1);
    const { ok } = await service.scale(3);
    const now = await service.servingPids(3);
    return ok && now.includes(first) ? 'three workers, the first one stays' : 'the first one is replaced';
  },
  expect: same('three workers, the first one stays'),
});
