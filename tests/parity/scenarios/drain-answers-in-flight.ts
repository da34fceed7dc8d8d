/** The service is stopped while a request is being answered. */
import { until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { gone } from '../steps.js';

export default scenario({
  chapter: 'Stopping',
  promise: 'a request in flight is answered before its worker leaves',
  app: { kill_timeout: 5_000 },
  async play(service) {
    const pids = await service.started(2);
    const answer = service.get('/slow?1000');
    await until(() => service.journal(/slow/).length === 1, 'the request is in flight');
    const [{ text }, { ok }] = await Promise.all([answer, service.stop()]);
    await gone(pids);
    return ok ? `${text}, then stopped` : 'not stopped';
  },
  expect: same('answered, then stopped'),
});
