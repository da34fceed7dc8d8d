/** A worker that becomes ready once a file exists. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { becomesTrue } from '../steps.js';

export default scenario({
  section: 'Readiness',
  title: 'a worker serves from `ready` on, not from its fork on',
  app: { instances: 1, listen_timeout: 20_000, env: { GATE: 'yes' } },
  async run(service) {
    const starting = service.start();
    await until(() => service.journal(/^boots/).length === 1, 'the worker boots');
    const seen = new Set<string>();
    await becomesTrue(async () => {
      for (const { state } of await service.workers()) seen.add(state);
      return seen.has('serving');
    }, 1_000);
    service.writeFile('gate', '');
    await starting;
    await service.servingPids(1);
    return `${[...seen].join(', then ')} until it is ready, then serving`;
  },
  expect: same('starting until it is ready, then serving'),
});
