/** A worker is killed with SIGKILL. */
import { same, scenario } from '../scenario.js';
import { replacedAfter } from '../steps.js';

export default scenario({
  chapter: 'Restarts',
  promise: 'a worker that is killed is replaced',
  app: { instances: 1 },
  play: service => replacedAfter(service, async victim => service.killWorker(victim)),
  expect: same('replaced, with the same instance number'),
});
