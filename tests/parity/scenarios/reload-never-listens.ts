/** A reload to a build whose workers never listen. */
import { better, scenario } from '../scenario.js';
import { reloadBrokenBuild } from '../steps.js';

export default scenario({
  section: 'Reload',
  title: 'a reload to a build that never listens changes nothing',
  app: { listen_timeout: 700 },
  run: service => reloadBrokenBuild(service, () => service.writeAppFile({ env: { GATE: 'yes' } })),
  expect: better({
    pm2: 'reports success, the old workers are gone, requests are lost',
    native: 'reports failure, the old workers stay, no request is lost',
    reason: 'no old worker retires before its successor is ready',
  }),
});
