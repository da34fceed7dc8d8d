/** A reload of two workers, as their journal tells it. */
import { same, scenario } from '../scenario.js';
import { gone, storiesOfSeats, wordOf } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'a reload replaces one worker after the other, each successor ready first',
  async play(service) {
    const before = await service.started(2);
    const { ok } = await service.reload();
    await gone(before);
    // Whatever of two seats is told here, one thing is the cause of the next; an order and its receipt would not be.
    const newcomers = service
      .journal(/^(boots|listens)/)
      .filter(({ pid }) => !before.includes(pid))
      .map(wordOf);
    const seats = new Set(storiesOfSeats(service, before));
    return ok ? `${newcomers.join(', ')}; each seat: ${[...seats].join(' or ')}` : 'failed';
  },
  expect: same('boots, listens, boots, listens; each seat: new boots, new listens, old ordered, old leaves'),
});
