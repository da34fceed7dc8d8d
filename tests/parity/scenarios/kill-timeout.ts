/** A worker that does not leave when it is told to. */
import { same, scenario } from '../scenario.js';
import { gone } from '../steps.js';

/** Far from the 1.6 s that hold without the field. */
const KILL_MS = 3_000;

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
    // The order is sent after the command and before its receipt, so that neither bound depends on how busy it is.
    const sinceCommand = at - asked;
    const sinceReceipt = at - (orders[0]?.at ?? 0);
    return ok && orders.length === 1 && sinceCommand >= KILL_MS && sinceReceipt < 2 * KILL_MS
      ? 'ordered once, killed when its time was over'
      : `ordered ${orders.length} times, gone ${sinceReceipt} ms after that`;
  },
  expect: same('ordered once, killed when its time was over'),
});
