/** A worker that never listens, and a short `listen_timeout`. */
import { better, scenario } from '../scenario.js';
import { trustedUnready } from '../steps.js';

export default scenario({
  chapter: 'Readiness',
  promise: 'a worker that never listens is not said to serve',
  app: { instances: 1, listen_timeout: 500, max_restarts: 2, env: { GATE: 'yes' } },
  play: service => trustedUnready(service, 500),
  expect: better({
    pm2: 'said to serve after listen_timeout, and never replaced',
    native: 'tried 2 times, then given up',
    how: 'the expiry of listen_timeout is a failed start, not a success',
  }),
});
