/** The only worker is killed; requests arrive until its successor serves. */
import { isAlive, until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { startLoad } from '../steps.js';

export default scenario({
  section: 'Supervisor and port',
  title: 'the port stays open while the only worker is replaced',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '1' },
  async run(service) {
    const [victim = 0] = await service.startAndServe(1);
    service.killWorker(victim);
    await until(() => !isAlive(victim), 'the worker has died');
    const load = startLoad(service, '/health');
    await until(async () => {
      const [worker] = await service.workers();
      return worker?.state === 'serving' && worker.pid !== victim;
    }, 'its successor serves');
    const { sent, lost } = await load.stop();
    if (sent === 0) return 'no request was sent';
    return lost > 0 ? 'requests are lost meanwhile' : 'requests wait';
  },
  expect: better({
    pm2: 'requests are lost meanwhile',
    native: 'requests wait',
    reason: 'the supervisor owns the socket, and connections wait in it',
  }),
});
