/** A second service is started on a port that another one has. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { pause } from '../steps.js';

export default scenario({
  chapter: 'Supervisor and port',
  promise: 'two services never share a port unnoticed',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '1' },
  async play(service) {
    const [own = 0] = await service.started(1);
    const second = service.beside({});
    await second.start();
    await until(async () => {
      if (!second.alive()) return true;
      return (await second.workers()).some(({ state }) => state === 'serving');
    }, 'the second one serves or is refused');
    const answerers = new Set<unknown>();
    for (let request = 0; request < 20; request++) {
      answerers.add(((await service.get('/health')).json() as { worker: unknown }).worker);
      await pause(5);
    }
    if (answerers.size > 1) return 'answers come from both in turn, unnoticed';
    return answerers.has(own) && !second.alive()
      ? 'the second one is refused, the first one serves on'
      : 'unclear';
  },
  expect: better({
    pm2: 'answers come from both in turn, unnoticed',
    native: 'the second one is refused, the first one serves on',
    how: 'it says who has the port and ends with exit code 6',
  }),
});
