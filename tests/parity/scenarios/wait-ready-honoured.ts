/** A worker that is ready only when there is a file. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { comesTrue } from '../steps.js';

export default scenario({
  chapter: 'Readiness',
  promise: 'a worker takes part when it says that it is ready, not when it has been forked',
  app: { instances: 1, listen_timeout: 20_000, env: { GATE: 'yes' } },
  async play(service) {
    const starting = service.start();
    await until(() => service.journal(/^boots/).length === 1, 'the worker boots');
    const seen = new Set<string>();
    await comesTrue(async () => {
      for (const { state } of await service.workers()) seen.add(state);
      return seen.has('serving');
    }, 1_000);
    service.put('gate', '');
    await starting;
    await service.serving(1);
    return `${[...seen].join(', then ')} until it is ready, serving from then on`;
  },
  expect: same('starting until it is ready, serving from then on'),
});
