/** A plain `http` server that says nothing of readiness: started, asked, reloaded. */
import { same, scenario } from '../scenario.js';
import { gone, read } from '../steps.js';

export default scenario({
  chapter: 'Apps that are not ours',
  promise: 'a plain `http` server runs unchanged',
  program: 'plain.js',
  app: { wait_ready: false },
  async play(service) {
    const before = await service.started(2);
    const { ok } = await service.reload();
    await gone(before);
    return ok ? `${await read(service, '/')} answers before and after a reload` : 'not reloaded';
  },
  expect: same('plain answers before and after a reload'),
});
