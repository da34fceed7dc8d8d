/** The only worker is killed; requests are sent until the next one serves. */
import { isAlive, until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { probe } from '../steps.js';

export default scenario({
  chapter: 'Supervisor and port',
  promise: 'the port stays open while the only worker is being replaced',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '1' },
  async play(service) {
    const [victim = 0] = await service.started(1);
    service.killWorker(victim);
    await until(() => !isAlive(victim), 'it is dead');
    const client = probe(service, '/health');
    await until(async () => {
      const [worker] = await service.workers();
      return worker?.state === 'serving' && worker.pid !== victim;
    }, 'the next one serves');
    const { asked, lost } = await client.stop();
    if (asked === 0) return 'nobody has asked';
    return lost > 0 ? 'requests are lost until then' : 'requests wait until then';
  },
  expect: better({
    pm2: 'requests are lost until then',
    native: 'requests wait until then',
    how: 'the socket belongs to the supervisor, and connections wait in it',
  }),
});
