/** `scale -1`. */
import { same, scenario } from '../scenario.js';

export default scenario({
  section: 'Scale',
  title: 'scaling to an invalid number is refused and changes nothing',
  async run(service) {
    const before = await service.startAndServe(2);
    const { ok } = await service.scale(-1);
    const after = await service.servingPids(2);
    const isSame = before.every(pid => after.includes(pid));
    return `${ok ? 'accepted' : 'refused'}, ${isSame ? 'the workers stay' : 'the workers change'}`;
  },
  expect: same('refused, the workers stay'),
});
