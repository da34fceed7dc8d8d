/** A reload of two workers, each of which is busy with a request that takes its time. */
import { better, scenario } from '../scenario.js';
import { comesTrue, gone, occupy, storiesOfSeats } from '../steps.js';
import { until } from '../../support/processes.js';

export default scenario({
  chapter: 'Reload',
  promise: 'a slow request is answered, and holds nobody else up',
  app: { kill_timeout: 20_000 },
  async play(service) {
    const before = await service.started(2);
    const held = await occupy(service, before);
    const ordered = (): number => service.journal(/^ordered/).length;
    const reloading = service.reload();
    await until(() => ordered() > 0, 'the first old worker has its order');
    // Whoever goes on meanwhile has done so long before this is over.
    const goesOn = await comesTrue(() => ordered() === 2, 3_000);
    const lost = await held.release();
    const { ok } = await reloading;
    await gone(before);
    const seats = new Set(storiesOfSeats(service, before));
    if (!ok || lost > 0 || seats.size > 1) return `${lost} lost; ${[...seats].join(' or ')}`;
    return `answered; the next seat ${goesOn ? 'does not wait for it' : 'waits until its worker has left'}`;
  },
  expect: better({
    pm2: 'answered; the next seat waits until its worker has left',
    native: 'answered; the next seat does not wait for it',
    how: 'a reload takes as long as the slowest request, not as long as the slowest ones of all workers together',
  }),
});
