/** PM2_KILL_USE_MESSAGE. */
import { same, scenario } from '../scenario.js';
import { ordersOf } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'with PM2_KILL_USE_MESSAGE a stop sends the order as a message',
  app: { instances: 1 },
  shell: { PM2_KILL_USE_MESSAGE: 'true' },
  async run(service) {
    await service.startAndServe(1);
    await service.stop();
    return ordersOf(service);
  },
  expect: same('message'),
});
