/** `ignore_watch` has globs, and a file name that is the beginning of another one. */
import { same, scenario } from '../scenario.js';
import { changeReplacesWorker, changeUntilReplaced } from '../steps.js';

export default scenario({
  section: 'Memory, cron and watch',
  title: '`ignore_watch` takes globs and paths, and ignores nothing else',
  app: {
    instances: 1,
    watch_delay: 100,
    watch: true,
    ignore_watch: ['journal', './package/**', '*.log', 'log'],
  },
  async run(service) {
    await service.startAndServe(1);
    await changeUntilReplaced(service, 'login.js');
    const ignored = ['package/lib.js', 'app.log', 'log'];
    for (const name of ignored) if (await changeReplacesWorker(service, name)) return `replaced for ${name}`;
    return `replaced for login.js, not for ${ignored.join(', ')}`;
  },
  expect: same('replaced for login.js, not for package/lib.js, app.log, log'),
});
