/** One of two workers grows beyond `max_memory_restart`. */
import { isAlive, until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { kindOf, lossOf, startLoad, trigger, untilExited } from '../steps.js';

export default scenario({
  section: 'Memory, cron and watch',
  title: 'a worker above `max_memory_restart` is replaced without a loss',
  // PM2 checks every 30 s by default.
  shell: { PM2_WORKER_INTERVAL: '1000' },
  app: { max_memory_restart: '200M' },
  async run(service) {
    const before = await service.startAndServe(2);
    const load = startLoad(service);
    await trigger(service, '/grow?250');
    await until(() => before.some(pid => !isAlive(pid)), 'the worker that grew has exited');
    const after = await service.servingPids(2);
    await untilExited(before.filter(pid => !after.includes(pid)));
    const { lost } = await load.stop();
    const events = service.journal(/^(listens|ordered)/).map(kindOf);
    const first =
      events.join() === 'listens,listens,listens,ordered' ? 'successor starts first' : events.join(', ');
    return `${first}, ${lossOf(lost)}`;
  },
  expect: same('successor starts first, no request is lost'),
});
