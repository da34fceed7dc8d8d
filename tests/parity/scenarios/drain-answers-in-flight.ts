/** The service is stopped while a request is being answered. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { gone, occupy } from '../steps.js';

export default scenario({
  chapter: 'Stopping',
  promise: 'a request in flight is answered before its worker leaves',
  app: { instances: 1, kill_timeout: 20_000 },
  async play(service) {
    const pids = await service.started(1);
    const held = await occupy(service, pids);
    const stopping = service.stop();
    await until(() => service.journal(/^ordered/).length === 1, 'the worker has its order');
    const lost = await held.release();
    const { ok } = await stopping;
    await gone(pids);
    return `${lost === 0 ? 'answered' : 'lost'}, then ${ok ? 'stopped' : 'not stopped'}`;
  },
  expect: same('answered, then stopped'),
});
