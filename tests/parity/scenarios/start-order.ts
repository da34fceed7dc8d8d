/** Three workers that become ready once a file exists. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { becomesTrue, kindOf } from '../steps.js';

export default scenario({
  section: 'Readiness',
  title: 'workers start in parallel',
  app: { instances: 3, listen_timeout: 20_000, env: { GATE: 'yes' } },
  async run(service) {
    const starting = service.start();
    const boots = (): number => service.journal(/^boots/).length;
    await until(() => boots() > 0, 'the first one boots');
    // A supervisor that does not wait for the first one forks the others much earlier.
    const isParallel = await becomesTrue(() => boots() === 3, 3_000);
    service.writeFile('gate', '');
    await starting;
    await service.servingPids(3);
    if (isParallel) return 'in parallel';
    const events = service
      .journal(/^(boots|listens)/)
      .map(kindOf)
      .join();
    return events === 'boots,listens,boots,listens,boots,listens' ? 'one after another' : events;
  },
  expect: better({
    pm2: 'one after another',
    native: 'in parallel',
    reason: 'three workers start in the time of one',
  }),
});
