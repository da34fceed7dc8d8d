/** A reload to a build that crashes at boot. */
import { better, scenario } from '../scenario.js';
import { reloadBrokenBuild } from '../steps.js';

export default scenario({
  section: 'Reload',
  title: 'a reload to a build that crashes changes nothing',
  app: { listen_timeout: 700 },
  run: service => reloadBrokenBuild(service, () => service.writeFile('crash', '1')),
  expect: better({
    pm2: 'reports success, the old workers are gone, requests are lost',
    native: 'reports failure, the old workers stay, no request is lost',
    reason: 'the first new worker must become ready and stay up before an old one retires',
  }),
});
