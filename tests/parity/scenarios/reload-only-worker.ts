/** A reload of a single worker under a client that retries nothing. */
import { until } from '../../support/processes.js';
import { strictClient } from '../../support/strict-client.js';
import { same, scenario } from '../scenario.js';
import { untilExited } from '../steps.js';

export default scenario({
  section: 'Reload',
  title: 'a service with one worker reloads without a loss',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '1' },
  async run(service) {
    const before = await service.startAndServe(1);
    const client = strictClient({ port: service.port });
    await until(() => client.sent > 200, 'there is load');
    const { ok, text } = await service.reload();
    const { failures, answered, sent } = await client.stop();
    if (!ok) return `refused: ${text}`;
    await untilExited(before);
    return answered === sent ? 'no request is lost' : `lost: ${JSON.stringify(failures)}`;
  },
  expect: same('no request is lost'),
});
