/** A worker that does not leave when it is told to. */
import { same, scenario } from '../scenario.js';
import { gone } from '../steps.js';

/** What holds without the field, and what the field says: far apart, so that either is plain on a busy machine. */
const DEFAULT_MS = 1_600;
const KILL_MS = 4_000;

export default scenario({
  chapter: 'Stopping',
  promise: 'a worker that does not leave is killed after `kill_timeout`',
  app: { instances: 1, kill_timeout: KILL_MS, env: { STUBBORN: 'yes' } },
  async play(service) {
    const pids = await service.started(1);
    const asked = Date.now();
    const dead = gone(pids).then(() => Date.now());
    const { ok } = await service.stop();
    const at = await dead;
    const orders = service.journal(/^ordered/);
    // The order is sent after the command and before its receipt: the time that counts is between these two.
    const sinceCommand = at - asked;
    const sinceReceipt = at - (orders[0]?.at ?? 0);
    const inTime =
      sinceCommand >= KILL_MS && sinceReceipt > (DEFAULT_MS + KILL_MS) / 2 && sinceReceipt < 2 * KILL_MS;
    return ok && orders.length === 1 && inTime
      ? 'ordered once, killed when its time was over'
      : `ordered ${orders.length} times, gone ${sinceReceipt} ms after that`;
  },
  expect: same('ordered once, killed when its time was over'),
});
