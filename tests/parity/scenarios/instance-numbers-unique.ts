/** The NODE_APP_INSTANCE of each of three workers. */
import { same, scenario } from '../scenario.js';
import { instanceNumberOf } from '../steps.js';

export default scenario({
  section: 'Number of workers',
  title: 'every worker has its own NODE_APP_INSTANCE',
  app: { instances: 3 },
  async run(service) {
    await service.startAndServe(3);
    return service
      .journal(/^boots/)
      .map(instanceNumberOf)
      .toSorted()
      .join(', ');
  },
  expect: same('0, 1, 2'),
});
