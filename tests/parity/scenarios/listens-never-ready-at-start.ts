/** A worker that listens and answers, but never says that it is ready. */
import { better, scenario } from '../scenario.js';
import { trustedUnready } from '../steps.js';

export default scenario({
  chapter: 'Readiness',
  promise: 'a worker that never says it is ready is not said to serve',
  app: { instances: 1, listen_timeout: 500, max_restarts: 2, env: { READY: 'never' } },
  play: service => trustedUnready(service, 500),
  expect: better({
    pm2: 'said to serve after listen_timeout, and never replaced',
    native: 'tried 2 times, then given up',
    how: 'a worker that does not say that it is well is not taken to be',
  }),
});
