/** `shutdown_with_message` and a stop. */
import { same, scenario } from '../scenario.js';
import { ordersOf, untilExited } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'with `shutdown_with_message` a stop sends the order as a message',
  app: { instances: 1, shutdown_with_message: true },
  async run(service) {
    const pids = await service.startAndServe(1);
    await service.stop();
    await untilExited(pids);
    return ordersOf(service);
  },
  expect: same('message'),
});
