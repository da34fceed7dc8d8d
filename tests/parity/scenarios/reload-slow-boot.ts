/** A reload to a build that becomes ready only after `listen_timeout`: here, once the reload is over. */
import { better, scenario } from '../scenario.js';
import { reloadBrokenBuild } from '../steps.js';

export default scenario({
  section: 'Readiness',
  title: 'a slow boot is no outage',
  app: { listen_timeout: 700 },
  async run(service) {
    const outcome = await reloadBrokenBuild(service, () => service.writeAppFile({ env: { GATE: 'yes' } }));
    service.writeFile('gate', '');
    await service.untilAnswering();
    return `${outcome}; requests are answered afterwards`;
  },
  expect: better({
    pm2: 'reports success, the old workers are gone, requests are lost; requests are answered afterwards',
    native: 'reports failure, the old workers stay, no request is lost; requests are answered afterwards',
    reason: 'a build that is slower than its `listen_timeout` is refused',
  }),
});
