/** Everything is watched, one file is ignored, and a hidden file changes, as `git fetch` changes some. */
import { better, scenario } from '../scenario.js';
import { isReplacedByChangeOf, replacedByChangeOf } from '../steps.js';

export default scenario({
  chapter: 'Limits and clocks',
  promise: 'hidden files are not watched, also where `ignore_watch` is set',
  app: { instances: 1, watch_delay: 100, watch: true, ignore_watch: ['journal'] },
  async play(service) {
    await service.started(1);
    await replacedByChangeOf(service, 'lib.js');
    const isReplaced = await isReplacedByChangeOf(service, '.hidden');
    return isReplaced ? 'replaced for a hidden file' : 'not replaced for a hidden file';
  },
  expect: better({
    pm2: 'replaced for a hidden file',
    native: 'not replaced for a hidden file',
    how: '`ignore_watch` adds to the default; hidden files and `node_modules` are watched where `watch` names them',
  }),
});
