/** `cron_restart` every three seconds, under constant load. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { kindOf, lossOf, startLoad, untilExited } from '../steps.js';

export default scenario({
  section: 'Memory, cron and watch',
  title: 'a scheduled restart loses no request',
  app: { cron_restart: '*/3 * * * * *' },
  async run(service) {
    const before = await service.startAndServe(2);
    const load = startLoad(service);
    const begun = service.journal(/^(boots|ordered)/).length;
    await untilExited(before);
    await until(() => service.journal(/^listens/).length >= 4, 'both workers are replaced');
    const { lost } = await load.stop();
    // One of the two causes the other.
    const [first] = service.journal(/^(boots|ordered)/).slice(begun);
    const order =
      first !== undefined && kindOf(first) === 'boots' ? 'successors start first' : 'old workers exit first';
    return `${order}, ${lossOf(lost)}`;
  },
  expect: better({
    pm2: 'old workers exit first, requests are lost',
    native: 'successors start first, no request is lost',
    reason: '`cron_restart` triggers a rolling reload',
  }),
});
