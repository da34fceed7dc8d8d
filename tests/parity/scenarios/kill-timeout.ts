/** A worker that ignores the order to drain. */
import { same, scenario } from '../scenario.js';
import { untilExited } from '../steps.js';

/** The default and the configured value: so far apart that a busy machine does not blur them. */
const DEFAULT_MS = 1_600;
const KILL_MS = 4_000;

export default scenario({
  section: 'Stop',
  title: 'a worker that does not exit is killed after `kill_timeout`',
  app: { instances: 1, kill_timeout: KILL_MS, env: { IGNORE_ORDERS: 'yes' } },
  async run(service) {
    const pids = await service.startAndServe(1);
    const requestedAt = Date.now();
    const exited = untilExited(pids).then(() => Date.now());
    const { ok } = await service.stop();
    const at = await exited;
    const orders = service.journal(/^ordered/);
    // The order is sent between the command and its receipt by the worker; the timeout begins there.
    const sinceCommand = at - requestedAt;
    const sinceReceipt = at - (orders[0]?.at ?? 0);
    const inTime =
      sinceCommand >= KILL_MS && sinceReceipt > (DEFAULT_MS + KILL_MS) / 2 && sinceReceipt < 2 * KILL_MS;
    return ok && orders.length === 1 && inTime
      ? 'ordered once, killed after kill_timeout'
      : `ordered ${orders.length} times, exited ${sinceReceipt} ms later`;
  },
  expect: same('ordered once, killed after kill_timeout'),
});
