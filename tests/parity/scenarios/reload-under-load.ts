/** Three reloads of this service under a client that retries nothing. */
import { until } from '../../support/processes.js';
import { strictClient } from '../../support/strict-client.js';
import { same, scenario } from '../scenario.js';
import { untilExited } from '../steps.js';

export default scenario({
  section: 'Reload',
  title: 'three reloads lose no request, on new and kept-alive connections',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '2' },
  async run(service) {
    const before = await service.startAndServe(2);
    const client = strictClient({ port: service.port });
    await until(() => client.sent > 200, 'there is load');
    for (let reload = 0; reload < 3; reload++) {
      const { ok, text } = await service.reload();
      if (!ok) return `refused: ${text}`;
    }
    const { failures, answered, sent } = await client.stop();
    await untilExited(before);
    return answered === sent ? 'no request is lost' : `lost: ${JSON.stringify(failures)}`;
  },
  expect: same('no request is lost'),
});
