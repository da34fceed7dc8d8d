/** A worker that never listens: start and reload. */
import { same, scenario } from '../scenario.js';
import { untilExited, allServing } from '../steps.js';

export default scenario({
  section: 'Other apps',
  title: 'a worker that never listens runs and reloads',
  program: 'idle.js',
  app: { wait_ready: false, listen_timeout: 500 },
  async run(service) {
    await service.start();
    const before = await allServing(service);
    const { ok } = await service.reload();
    await untilExited(before);
    return ok ? `${(await allServing(service)).length} workers, replaced by a reload` : 'not reloaded';
  },
  expect: same('2 workers, replaced by a reload'),
});
