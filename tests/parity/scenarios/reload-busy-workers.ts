/** A reload of two workers, each of which has a slow request in flight. */
import { better, scenario } from '../scenario.js';
import { becomesTrue, eventsBySlot, holdRequests, untilExited } from '../steps.js';
import { until } from '../../support/processes.js';

export default scenario({
  section: 'Reload',
  title: 'a slow request is answered and does not delay the other slots',
  app: { kill_timeout: 20_000 },
  async run(service) {
    const before = await service.startAndServe(2);
    const held = await holdRequests(service, before);
    const ordered = (): number => service.journal(/^ordered/).length;
    const reloading = service.reload();
    await until(() => ordered() > 0, 'the first old worker has the order');
    // A supervisor that does not wait would order the second one much earlier.
    const isSecondOrdered = await becomesTrue(() => ordered() === 2, 3_000);
    const lost = await held.release();
    const { ok } = await reloading;
    await untilExited(before);
    const slots = new Set(eventsBySlot(service, before));
    if (!ok || lost > 0 || slots.size > 1) return `${lost} lost; ${[...slots].join(' or ')}`;
    return `answered; the next slot ${isSecondOrdered ? 'does not wait' : 'waits until this worker has exited'}`;
  },
  expect: better({
    pm2: 'answered; the next slot waits until this worker has exited',
    native: 'answered; the next slot does not wait',
    reason:
      'a reload takes as long as the slowest request, not as long as the slowest of each worker together',
  }),
});
