/** A reload onto a build whose workers listen and answer, but never say that they are ready. */
import { better, scenario } from '../scenario.js';
import { reloadOnto } from '../steps.js';

export default scenario({
  chapter: 'Reload',
  promise: 'a reload onto a build that never says it is ready changes nothing',
  app: { listen_timeout: 700 },
  play: service => reloadOnto(service, () => service.describe({ env: { READY: 'never' } })),
  expect: better({
    pm2: 'told as a success, the old workers are gone, no request is lost',
    native: 'told as a failure, the old workers stay, no request is lost',
    how: 'a worker that does not say that it is well is not taken to be',
  }),
});
