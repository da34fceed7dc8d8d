/** Every worker leaks: the successor of a worker that was replaced for its memory soon takes as much. */
import { isAlive, until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';

export default scenario({
  section: 'Memory, cron and watch',
  title: 'a successor that outgrows `max_memory_restart` as well is replaced within seconds',
  // PM2 checks every 30 s by default.
  shell: { PM2_WORKER_INTERVAL: '1000' },
  app: { instances: 1, max_memory_restart: '200M' },
  async run(service) {
    let replaced = 0;
    for (let [worker = NaN] = await service.startAndServe(1); replaced < 3; replaced++) {
      await service.get('/grow?250');
      await until(() => !isAlive(worker), 'the worker that grew has exited');
      [worker = NaN] = await service.servingPids(1);
    }
    return `replaced ${replaced} times in a row`;
  },
  expect: same('replaced 3 times in a row'),
});
