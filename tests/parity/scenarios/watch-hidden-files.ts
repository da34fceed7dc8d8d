/** Everything is watched, one file is ignored, and a hidden file changes, as `git fetch` changes some. */
import { better, scenario } from '../scenario.js';
import { changeReplacesWorker, changeUntilReplaced } from '../steps.js';

export default scenario({
  section: 'Memory, cron and watch',
  title: 'hidden files are not watched, even with an `ignore_watch`',
  app: { instances: 1, watch_delay: 100, watch: true, ignore_watch: ['journal'] },
  async run(service) {
    await service.startAndServe(1);
    await changeUntilReplaced(service, 'lib.js');
    const isReplaced = await changeReplacesWorker(service, '.hidden');
    return isReplaced ? 'replaced for a hidden file' : 'not replaced for a hidden file';
  },
  expect: better({
    pm2: 'replaced for a hidden file',
    native: 'not replaced for a hidden file',
    reason:
      '`ignore_watch` adds to the default; hidden files and `node_modules` are watched where `watch` names them',
  }),
});
