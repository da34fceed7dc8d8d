/** A reload of a single worker under a client that forgives nothing. */
import { until } from '../../support/processes.js';
import { strictClient } from '../../support/strict-client.js';
import { same, scenario } from '../scenario.js';
import { gone } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'a service of one worker is reloaded without a loss, too',
  program: 'cabe-arena-api',
  shell: { WEB_CONCURRENCY: '1' },
  async play(service) {
    const before = await service.started(1);
    const client = strictClient({ port: service.port });
    await until(() => client.sent > 200, 'there is load');
    const { ok, text } = await service.reload();
    const { failures, answered, sent } = await client.stop();
    if (!ok) return `refused: ${text}`;
    await gone(before);
    return answered === sent ? 'nothing is lost' : `lost: ${JSON.stringify(failures)}`;
  },
  expect: same('nothing is lost'),
});
