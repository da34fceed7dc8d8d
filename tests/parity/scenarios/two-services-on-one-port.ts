/** A second service is started on a port that another one has. */
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { lastMessage, pause } from '../steps.js';

export default scenario({
  chapter: 'Supervisor and port',
  promise: 'two services never share a port unnoticed',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '1' },
  async play(service) {
    const [own = 0] = await service.started(1);
    const second = service.beside({});
    const { ok, code, text } = await second.start();
    await until(async () => {
      if (!second.alive()) return true;
      return (await second.workers()).some(({ state }) => state === 'serving');
    }, 'the second one serves or is refused');
    const answerers = new Set<unknown>();
    for (let request = 0; request < 20; request++) {
      answerers.add(((await service.get('/health')).json() as { worker: unknown }).worker);
      await pause(5);
    }
    if (ok && answerers.size > 1) return 'both start, answers come from both in turn';
    const holder = Number(/in use by pid (\d+)/.exec(lastMessage(text))?.[1]);
    const isNamed = [own, service.supervisor()].includes(holder);
    const told = code === EXIT.portTaken && isNamed ? 'which is told by name' : `exit code ${code}: ${text}`;
    const alone = answerers.has(own) && answerers.size === 1 ? 'the first one serves on' : 'unclear';
    return `the second one is refused because of the first one, ${told}; ${alone}`;
  },
  expect: better({
    pm2: 'both start, answers come from both in turn',
    native:
      'the second one is refused because of the first one, which is told by name; the first one serves on',
    how: 'exit code 6, and the last line says who has the port',
  }),
});
