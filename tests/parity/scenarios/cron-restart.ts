/** `cron_restart` every three seconds, under a client that asks all the time. */
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { gone, probe } from '../steps.js';

export default scenario({
  chapter: 'Limits and clocks',
  promise: 'a restart by the clock loses nothing',
  app: { cron_restart: '*/3 * * * * *' },
  async play(service) {
    const before = await service.started(2);
    const client = probe(service);
    await gone(before);
    await until(() => service.journal(/^listens/).length >= 4, 'both are replaced');
    const { lost } = await client.stop();
    return lost === 0 ? 'replaced one by one, no request is lost' : 'all end at once, requests are lost';
  },
  expect: better({
    pm2: 'all end at once, requests are lost',
    native: 'replaced one by one, no request is lost',
    how: 'the clock orders a rolling reload',
  }),
});
