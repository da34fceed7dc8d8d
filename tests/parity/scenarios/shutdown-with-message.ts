/** `shutdown_with_message` and a stop. */
import { same, scenario } from '../scenario.js';
import { gone } from '../steps.js';

export default scenario({
  chapter: 'Stopping',
  promise: '`shutdown_with_message` gives the order to leave as a message',
  app: { instances: 1, shutdown_with_message: true },
  async play(service) {
    const pids = await service.started(1);
    await service.stop();
    await gone(pids);
    return service
      .journal(/^ordered/)
      .map(({ what }) => what)
      .join(', ');
  },
  expect: same('ordered by message'),
});
