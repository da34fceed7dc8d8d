/** Three workers, each asked for its NODE_APP_INSTANCE. */
import { same, scenario } from '../scenario.js';
import { instanceOf } from '../steps.js';

export default scenario({
  chapter: 'Counting',
  promise: 'every worker has a NODE_APP_INSTANCE of its own',
  app: { instances: 3 },
  async play(service) {
    await service.started(3);
    return service
      .journal(/^boots/)
      .map(instanceOf)
      .toSorted()
      .join(', ');
  },
  expect: same('0, 1, 2'),
});
