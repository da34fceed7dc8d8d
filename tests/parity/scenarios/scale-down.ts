/** From three workers to two, each with a request in flight. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { holdRequests } from '../steps.js';

export default scenario({
  section: 'Scale',
  title: 'scaling down answers requests in flight',
  app: { instances: 3, kill_timeout: 20_000 },
  async run(service) {
    const held = await holdRequests(service, await service.startAndServe(3));
    const scaling = service.scale(2);
    await until(() => service.journal(/^ordered/).length > 0, 'one worker has the order');
    const lost = await held.release();
    const { ok } = await scaling;
    await service.servingPids(2);
    const outcome = ok ? 'two workers' : 'not scaled';
    return `${outcome}, ${lost === 0 ? 'every request answered' : `${lost} requests lost`}`;
  },
  expect: same('two workers, every request answered'),
});
