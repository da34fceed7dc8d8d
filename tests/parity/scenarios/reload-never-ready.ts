/** A reload onto a build whose workers never listen. */
import { better, scenario } from '../scenario.js';
import { reloadOnto } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'a reload onto a build that never listens changes nothing',
  app: { listen_timeout: 700 },
  play: service => reloadOnto(service, () => service.describe({ env: { GATE: 'yes' } })),
  expect: better({
    pm2: 'told as a success, the old workers are gone, requests are lost',
    native: 'told as a failure, the old workers stay, no request is lost',
    how: 'no old worker is retired before its successor is ready',
  }),
});
