/** An ES module as the entry, by its file extension: start, request, reload. */
import { same, scenario } from '../scenario.js';
import { untilExited, bodyOf } from '../steps.js';

export default scenario({
  section: 'Other apps',
  title: 'an ES module runs as the entry',
  program: 'module.mjs',
  async run(service) {
    const before = await service.startAndServe(2);
    const earlier = await bodyOf(service, '/');
    const { ok } = await service.reload();
    await untilExited(before);
    const later = await bodyOf(service, '/');
    return ok ? `${earlier} answers before, ${later} answers after a reload` : 'not reloaded';
  },
  expect: same('module answers before, module answers after a reload'),
});
