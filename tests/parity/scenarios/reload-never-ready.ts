/** A reload onto a build that gets no worker ready. */
import { isAlive } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { pause, probe } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'a reload onto a build that never gets ready changes nothing',
  app: { listen_timeout: 700 },
  async play(service) {
    const before = await service.started(2);
    const client = probe(service);
    service.describe({ listen_timeout: 700, env: { BOOT_MS: 600_000 } });
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
    how: 'no old worker is retired before its successor is ready',
  }),
});
