/** From three workers to two, while every one of them answers a slow request. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';

export default scenario({
  chapter: 'Scale',
  promise: 'scaling down answers what is in flight',
  app: { instances: 3, kill_timeout: 5_000 },
  async play(service) {
    await service.started(3);
    const answers = Promise.allSettled(Array.from({ length: 6 }, () => service.get('/slow?1500')));
    await until(() => service.journal(/slow/).length === 6, 'every worker is busy');
    await service.scale(2);
    await service.serving(2);
    const lost = (await answers).filter(({ status }) => status === 'rejected').length;
    return lost === 0 ? 'two workers, every request answered' : `two workers, ${lost} requests lost`;
  },
  expect: same('two workers, every request answered'),
});
