/** `cron_restart` every three seconds, under a client that asks all the time. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { gone, probe, wordOf } from '../steps.js';

export default scenario({
  chapter: 'Limits and clocks',
  promise: 'a restart by the clock loses nothing',
  app: { cron_restart: '*/3 * * * * *' },
  async play(service) {
    const before = await service.started(2);
    const client = probe(service);
    const begun = service.journal(/^(boots|ordered)/).length;
    await gone(before);
    await until(() => service.journal(/^listens/).length >= 4, 'both are replaced');
    const { lost } = await client.stop();
    // Either is the cause of the other.
    const [first] = service.journal(/^(boots|ordered)/).slice(begun);
    const order = first !== undefined && wordOf(first) === 'boots' ? 'successors first' : 'old workers first';
    return `${order}, ${lost === 0 ? 'no request is lost' : 'requests are lost'}`;
  },
  expect: better({
    pm2: 'old workers first, requests are lost',
    native: 'successors first, no request is lost',
    how: 'the clock orders a rolling reload',
  }),
});
