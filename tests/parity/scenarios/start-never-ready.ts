/** A worker that listens and answers, but never sends `ready`. */
import { better, scenario } from '../scenario.js';
import { startUnready } from '../steps.js';

export default scenario({
  section: 'Readiness',
  title: 'a worker that never sends `ready` is not listed as serving',
  app: { instances: 1, listen_timeout: 500, max_restarts: 2, env: { READY: 'never' } },
  run: service => startUnready(service, 500),
  expect: better({
    pm2: 'listed as serving after listen_timeout, never replaced',
    native: 'gives up after 2 starts',
    reason: 'a worker serves only once it says so',
  }),
});
