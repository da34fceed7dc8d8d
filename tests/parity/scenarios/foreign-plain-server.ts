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
    const earlier = await read(service, '/');
    const { ok } = await service.reload();
    await gone(before);
    const later = await read(service, '/');
    return ok ? `${earlier} answers before, ${later} after a reload` : 'not reloaded';
  },
  expect: same('plain answers before, plain after a reload'),
});
