/** A reload to a build whose workers listen and answer, but never send `ready`. */
import { better, scenario } from '../scenario.js';
import { reloadBrokenBuild } from '../steps.js';

export default scenario({
  section: 'Reload',
  title: 'a reload to a build that never sends `ready` changes nothing',
  app: { listen_timeout: 700 },
  run: service => reloadBrokenBuild(service, () => service.writeAppFile({ env: { READY: 'never' } })),
  expect: better({
    pm2: 'reports success, the old workers are gone, no request is lost',
    native: 'reports failure, the old workers stay, no request is lost',
    reason: 'a worker serves only once it says so',
  }),
});
