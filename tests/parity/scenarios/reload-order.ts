/** The events of a reload of two workers, from their journal. */
import { same, scenario } from '../scenario.js';
import { eventsBySlot, kindOf, untilExited } from '../steps.js';

export default scenario({
  section: 'Reload',
  title: 'a reload replaces one worker at a time, and each successor is ready first',
  async run(service) {
    const before = await service.startAndServe(2);
    const { ok } = await service.reload();
    await untilExited(before);
    // Only events of different slots that cause each other: an order and its receipt could come in any order.
    const newEvents = service
      .journal(/^(boots|listens)/)
      .filter(({ pid }) => !before.includes(pid))
      .map(kindOf);
    const slots = new Set(eventsBySlot(service, before));
    return ok ? `${newEvents.join(', ')}; each slot: ${[...slots].join(' or ')}` : 'failed';
  },
  expect: same('boots, listens, boots, listens; each slot: new boots, new listens, old ordered, old exits'),
});
