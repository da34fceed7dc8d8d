/** From three workers to two, while every one of them is busy with a request. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { occupy } from '../steps.js';

export default scenario({
  chapter: 'Scale',
  promise: 'scaling down answers what is in flight',
  app: { instances: 3, kill_timeout: 20_000 },
  async play(service) {
    const held = await occupy(service, await service.started(3));
    const scaling = service.scale(2);
    await until(() => service.journal(/^ordered/).length > 0, 'one has its order');
    const lost = await held.release();
    const { ok } = await scaling;
    await service.serving(2);
    const told = ok ? 'two workers' : 'not scaled';
    return `${told}, ${lost === 0 ? 'every request answered' : `${lost} requests lost`}`;
  },
  expect: same('two workers, every request answered'),
});
