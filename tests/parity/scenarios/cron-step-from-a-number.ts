/** `cron_restart` has a step that begins at a number: every third second, from the first one of a minute on. */
import { same, scenario } from '../scenario.js';
import { gone } from '../steps.js';

export default scenario({
  chapter: 'Limits and clocks',
  promise: 'a step of `cron_restart` may begin at a number, as in `1/3`',
  app: { cron_restart: '1/3 * * * * *' },
  async play(service) {
    await gone(await service.started(2));
    return 'restarted by the clock';
  },
  expect: same('restarted by the clock'),
});
