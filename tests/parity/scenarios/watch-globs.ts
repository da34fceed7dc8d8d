/** `watch` is a glob; files that it matches and others are changed. */
import { same, scenario } from '../scenario.js';
import { isReplacedByChangeOf, replacedByChangeOf } from '../steps.js';

export default scenario({
  chapter: 'Limits and clocks',
  promise: '`watch` takes globs',
  app: { instances: 1, watch_delay: 100, watch: ['package/**/*.js'] },
  async play(service) {
    await service.started(1);
    await replacedByChangeOf(service, 'package/lib.js');
    const others = ['package/notes.txt', 'lib.js'];
    for (const name of others) if (await isReplacedByChangeOf(service, name)) return `replaced for ${name}`;
    return `replaced for package/lib.js, not for ${others.join(', ')}`;
  },
  expect: same('replaced for package/lib.js, not for package/notes.txt, lib.js'),
});
