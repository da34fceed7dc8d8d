/** `watch` is a glob; files that match it change, and others. */
import { same, scenario } from '../scenario.js';
import { changeReplacesWorker, changeUntilReplaced } from '../steps.js';

export default scenario({
  section: 'Memory, cron and watch',
  title: '`watch` takes globs',
  app: { instances: 1, watch_delay: 100, watch: ['package/**/*.js'] },
  async run(service) {
    await service.startAndServe(1);
    await changeUntilReplaced(service, 'package/lib.js');
    const others = ['package/notes.txt', 'lib.js'];
    for (const name of others) if (await changeReplacesWorker(service, name)) return `replaced for ${name}`;
    return `replaced for package/lib.js, not for ${others.join(', ')}`;
  },
  expect: same('replaced for package/lib.js, not for package/notes.txt, lib.js'),
});
