/** Three reloads of this service under a client that forgives nothing. */
import { until } from '../../support/processes.js';
import { strictClient } from '../../support/strict-client.js';
import { same, scenario } from '../scenario.js';
import { gone } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'three reloads lose no request, kept-alive connections and new ones',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '2' },
  async play(service) {
    const before = await service.started(2);
    const client = strictClient({ port: service.port });
    await until(() => client.sent > 200, 'there is load');
    for (let reload = 0; reload < 3; reload++) {
      const { ok, text } = await service.reload();
      if (!ok) return `refused: ${text}`;
    }
    const { failures, answered, sent } = await client.stop();
    await gone(before);
    return answered === sent ? 'nothing is lost' : `lost: ${JSON.stringify(failures)}`;
  },
  expect: same('nothing is lost'),
});
