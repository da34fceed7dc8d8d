/** An ES module as the entry, by its ending: started, asked, reloaded. */
import { same, scenario } from '../scenario.js';
import { gone, read } from '../steps.js';

export default scenario({
  chapter: 'Apps that are not ours',
  promise: 'an ES module as the entry runs',
  program: 'module.mjs',
  async play(service) {
    const before = await service.started(2);
    const earlier = await read(service, '/');
    const { ok } = await service.reload();
    await gone(before);
    const later = await read(service, '/');
    return ok ? `${earlier} answers before, ${later} after a reload` : 'not reloaded';
  },
  expect: same('module answers before, module after a reload'),
});
