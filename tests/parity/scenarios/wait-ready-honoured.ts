/** A worker that needs a second until it listens and says so. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';

export default scenario({
  chapter: 'Readiness',
  promise: 'a worker takes part when it says that it is ready, not when it has been forked',
  app: { instances: 1, env: { BOOT_MS: 1000 } },
  async play(service) {
    const starting = service.start();
    let early = false;
    await until(async () => {
      const [worker] = await service.workers();
      const isServing = worker?.state === 'serving';
      early ||= isServing && service.journal(/^listens/).length === 0;
      return isServing;
    }, 'the worker serves');
    await starting;
    return early ? 'serving before it was ready' : 'serving once it is ready';
  },
  expect: same('serving once it is ready'),
});
