/** One of two workers grows beyond `max_memory_restart`. */
import { isAlive, until } from '../../support/processes.js';
import { same, scenario } from '../scenario.js';
import { gone, probe, provoke } from '../steps.js';

export default scenario({
  chapter: 'Limits and clocks',
  promise: 'a worker beyond `max_memory_restart` is replaced, its successor first',
  // PM2 looks every 30 s unless its daemon is told otherwise.
  shell: { PM2_WORKER_INTERVAL: '1000' },
  app: { max_memory_restart: '200M' },
  async play(service) {
    const before = await service.started(2);
    const client = probe(service);
    await provoke(service, '/grow?250');
    await until(() => before.some(pid => !isAlive(pid)), 'the one that grew has left');
    const after = await service.serving(2);
    await gone(before.filter(pid => !after.includes(pid)));
    const { lost } = await client.stop();
    const story = service.journal(/^(listens|ordered)/).map(({ what }) => what.split(' ')[0]);
    const first = story.join() === 'listens,listens,listens,ordered' ? 'successor first' : story.join(', ');
    return `${first}, ${lost === 0 ? 'no request is lost' : 'requests are lost'}`;
  },
  expect: same('successor first, no request is lost'),
});
