/** `shutdown_with_message` and a reload. */
import { better, scenario } from '../scenario.js';
import { ordersOf, untilExited } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'with `shutdown_with_message` a reload sends the order as a message, too',
  app: { instances: 1, shutdown_with_message: true },
  async run(service) {
    const pids = await service.startAndServe(1);
    await service.reload();
    await untilExited(pids);
    return ordersOf(service);
  },
  expect: better({
    pm2: 'SIGINT',
    native: 'message',
    reason: 'the order has one form, for any reason',
  }),
});
