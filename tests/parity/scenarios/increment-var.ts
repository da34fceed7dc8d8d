/** `increment_var: 'NUMBER'` from 5000 on; three workers, one fewer, one more. */
import { same, scenario } from '../scenario.js';
import type { Entry } from '../service.js';

const numberOf = ({ event }: Entry): string => / with (\S+)/.exec(event)?.[1] ?? '';

export default scenario({
  section: 'Number of workers',
  title: '`increment_var` counts up and repeats no number',
  app: { instances: 3, increment_var: 'NUMBER', env: { NUMBER: 5000 } },
  async run(service) {
    await service.startAndServe(3);
    await service.scale(2);
    await service.servingPids(2);
    await service.scale(3);
    await service.servingPids(3);
    return service
      .journal(/^boots/)
      .map(numberOf)
      .toSorted()
      .join(', ');
  },
  expect: same('5000, 5001, 5002, 5003'),
});
