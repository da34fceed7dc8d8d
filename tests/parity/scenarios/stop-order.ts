/** A stop without `shutdown_with_message`. */
import { same, scenario } from '../scenario.js';
import { ordersOf, untilExited } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'the order to drain is SIGINT, sent once',
  app: { instances: 1 },
  async run(service) {
    const pids = await service.startAndServe(1);
    await service.stop();
    await untilExited(pids);
    return ordersOf(service);
  },
  expect: same('SIGINT'),
});
