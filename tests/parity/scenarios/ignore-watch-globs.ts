/** `ignore_watch` holds globs and the name of a file that begins like another one. */
import { same, scenario } from '../scenario.js';
import { isReplacedByChangeOf, replacedByChangeOf } from '../steps.js';

export default scenario({
  chapter: 'Limits and clocks',
  promise: '`ignore_watch` takes globs and paths, and hides nothing else',
  app: {
    instances: 1,
    watch_delay: 100,
    watch: true,
    ignore_watch: ['journal', './package/**', '*.log', 'log'],
  },
  async play(service) {
    await service.started(1);
    await replacedByChangeOf(service, 'login.js');
    const ignored = ['package/lib.js', 'app.log', 'log'];
    for (const name of ignored) if (await isReplacedByChangeOf(service, name)) return `replaced for ${name}`;
    return `replaced for login.js, not for ${ignored.join(', ')}`;
  },
  expect: same('replaced for login.js, not for package/lib.js, app.log, log'),
});
