/** A reload onto a build that needs longer than `listen_timeout` to boot. */
import { isAlive } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { pause, probe } from '../steps.js';

export default scenario({
  chapter: 'Readiness',
  promise: 'a slow boot is no outage',
  app: { listen_timeout: 700 },
  async play(service) {
    const before = await service.started(2);
    const client = probe(service);
    service.describe({ env: { BOOT_MS: 3_000 } });
    const { ok } = await service.reload();
    await pause(500);
    const { lost } = await client.stop();
    const told = ok ? 'told as a success' : 'told as a failure';
    const stayed = before.every(isAlive) ? 'the old workers stay' : 'the old workers are gone';
    return `${told}, ${stayed}, ${lost > 0 ? 'requests are lost' : 'no request is lost'}`;
  },
  expect: better({
    pm2: 'told as a success, the old workers are gone, requests are lost',
    native: 'told as a failure, the old workers stay, no request is lost',
    how: 'a build that outgrew its listen_timeout is refused instead of trusted',
  }),
});
