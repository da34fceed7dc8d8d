/** A number of workers that cannot be. */
import { same, scenario } from '../scenario.js';

export default scenario({
  chapter: 'Scale',
  promise: 'scaling to nonsense is refused and changes nothing',
  async play(service) {
    const before = await service.started(2);
    const { ok } = await service.scale(-1);
    const after = await service.serving(2);
    const isSame = before.every(pid => after.includes(pid));
    return `${ok ? 'told as a success' : 'refused'}, ${isSame ? 'nothing has changed' : 'workers have changed'}`;
  },
  expect: same('refused, nothing has changed'),
});
