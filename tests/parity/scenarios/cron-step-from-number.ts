/** `cron_restart` has a step that begins at a number: every third second from second 1 on. */
import { same, scenario } from '../scenario.js';
import { untilExited } from '../steps.js';

export default scenario({
  section: 'Memory, cron and watch',
  title: 'a step in `cron_restart` may begin at a number, as in `1/3`',
  app: { cron_restart: '1/3 * * * * *' },
  async run(service) {
    await untilExited(await service.startAndServe(2));
    return 'restarted on schedule';
  },
  expect: same('restarted on schedule'),
});
