/** The service is stopped while a request is being answered. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { holdRequests, untilExited } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'a request in flight is answered before its worker exits',
  app: { instances: 1, kill_timeout: 20_000 },
  async run(service) {
    const pids = await service.startAndServe(1);
    const held = await holdRequests(service, pids);
    const stopping = service.stop();
    await until(() => service.journal(/^ordered/).length === 1, 'the worker has the order');
    const lost = await held.release();
    const { ok } = await stopping;
    await untilExited(pids);
    return `${lost === 0 ? 'answered' : 'lost'}, then ${ok ? 'stopped' : 'not stopped'}`;
  },
  expect: same('answered, then stopped'),
});
