/** A reload of two workers, as their journal tells it. */
import { same, scenario } from '../scenario.js';
import { gone } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'a reload replaces one worker after the other, each successor ready first',
  async play(service) {
    const before = await service.started(2);
    const begun = service.journal().length;
    const { ok } = await service.reload();
    await gone(before);
    const story = service
      .journal()
      .slice(begun)
      .map(({ pid, what }) => {
        const [word = ''] = what.split(' ');
        return before.includes(pid) ? `old ${word}` : `new ${word}`;
      });
    return ok ? story.join(', ') : 'failed';
  },
  expect: same(
    'new boots, new listens, old ordered, old leaves, new boots, new listens, old ordered, old leaves',
  ),
});
