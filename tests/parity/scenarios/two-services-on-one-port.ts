/** A second service starts on the port of the first. */
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { better, scenario } from '../scenario.js';
import { lastLogMessage, pause, servesOrIsRefused } from '../steps.js';

export default scenario({
  section: 'Supervisor and port',
  title: 'two services do not share a port unnoticed',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '1' },
  async run(service) {
    const [own = 0] = await service.startAndServe(1);
    const second = service.secondService({});
    const { ok, code, text } = await second.start();
    await servesOrIsRefused(second);
    const pids = new Set<unknown>();
    for (let request = 0; request < 20; request++) {
      pids.add(((await service.get('/health')).json() as { worker: unknown }).worker);
      await pause(5);
    }
    if (ok && pids.size > 1) return 'both start, answers come from both in turn';
    const holder = Number(/in use by pid (\d+)/.exec(lastLogMessage(text))?.[1]);
    const isNamed = [own, service.supervisorPid()].includes(holder);
    const report = code === EXIT.portTaken && isNamed ? 'names the first one' : `exit code ${code}: ${text}`;
    const rest = pids.has(own) && pids.size === 1 ? 'the first one keeps serving' : 'unclear';
    return `the second one is refused and ${report}; ${rest}`;
  },
  expect: better({
    pm2: 'both start, answers come from both in turn',
    native: 'the second one is refused and names the first one; the first one keeps serving',
    reason: 'exit code 6, and the last line names the process that has the port',
  }),
});
