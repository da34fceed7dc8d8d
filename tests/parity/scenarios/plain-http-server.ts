/** A plain `http` server that sends no `ready`: start, request, reload. */
import { same, scenario } from '../scenario.js';
import { untilExited, bodyOf } from '../steps.js';

export default scenario({
  section: 'Other apps',
  title: 'a plain `http` server runs unchanged',
  program: 'plain.js',
  app: { wait_ready: false },
  async run(service) {
    const before = await service.startAndServe(2);
    const earlier = await bodyOf(service, '/');
    const { ok } = await service.reload();
    await untilExited(before);
    const later = await bodyOf(service, '/');
    return ok ? `${earlier} answers before, ${later} answers after a reload` : 'not reloaded';
  },
  expect: same('plain answers before, plain answers after a reload'),
});
