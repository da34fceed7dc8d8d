/** A worker that never listens, and a short `listen_timeout`. */
import { better, scenario } from '../scenario.js';
import { startUnready } from '../steps.js';

export default scenario({
  section: 'Readiness',
  title: 'a worker that never listens is not listed as serving',
  app: { instances: 1, listen_timeout: 500, max_restarts: 2, env: { GATE: 'yes' } },
  run: service => startUnready(service, 500),
  expect: better({
    pm2: 'listed as serving after listen_timeout, never replaced',
    native: 'gives up after 2 starts',
    reason: 'the end of `listen_timeout` is a failed start, not a success',
  }),
});
