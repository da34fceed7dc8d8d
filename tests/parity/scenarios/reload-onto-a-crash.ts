/** A reload onto a build that crashes at boot. */
import { better, scenario } from '../scenario.js';
import { reloadOnto } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'a reload onto a build that crashes changes nothing',
  app: { listen_timeout: 700 },
  play: service => reloadOnto(service, () => service.put('crash', '1')),
  expect: better({
    pm2: 'told as a success, the old workers are gone, requests are lost',
    native: 'told as a failure, the old workers stay, no request is lost',
    how: 'the first new worker must get ready and stay up before any old one is retired',
  }),
});
