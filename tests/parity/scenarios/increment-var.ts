/** `increment_var: 'NUMBER'` from 5000 on; three workers, one less, one more. */
import { same, scenario } from '../scenario.js';
import type { Entry } from '../service.js';

const numberOf = ({ what }: Entry): string => / with (\S+)/.exec(what)?.[1] ?? '';

export default scenario({
  chapter: 'Counting',
  promise: '`increment_var` counts on and gives no number twice',
  app: { instances: 3, increment_var: 'NUMBER', env: { NUMBER: 5000 } },
  async play(service) {
    await service.started(3);
    await service.scale(2);
    await service.serving(2);
    await service.scale(3);
    await service.serving(3);
    return service
      .journal(/^boots/)
      .map(numberOf)
      .toSorted()
      .join(', ');
  },
  expect: same('5000, 5001, 5002, 5003'),
});
