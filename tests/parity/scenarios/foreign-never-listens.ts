/** A worker that never listens: started and reloaded. */
import { same, scenario } from '../scenario.js';
import { gone, settled } from '../steps.js';

export default scenario({
  chapter: 'Apps that are not ours',
  promise: 'a worker that never listens runs and is reloaded',
  program: 'idle.js',
  app: { wait_ready: false, listen_timeout: 500 },
  async play(service) {
    await service.start();
    const before = await settled(service);
    const { ok } = await service.reload();
    await gone(before);
    return ok ? `${(await settled(service)).length} workers, replaced by a reload` : 'not reloaded';
  },
  expect: same('2 workers, replaced by a reload'),
});
