/** Without `shutdown_with_message` a stop is a signal. */
import { same, scenario } from '../scenario.js';
import { gone } from '../steps.js';

export default scenario({
  chapter: 'Stopping',
  promise: 'the order to leave is SIGINT, given once',
  app: { instances: 1 },
  async play(service) {
    const pids = await service.started(1);
    await service.stop();
    await gone(pids);
    return service
      .journal(/^ordered/)
      .map(({ what }) => what)
      .join(', ');
  },
  expect: same('ordered by SIGINT'),
});
