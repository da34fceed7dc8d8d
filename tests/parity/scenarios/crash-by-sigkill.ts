/** A worker is killed with SIGKILL. */
import { same, scenario } from '../scenario.js';
import { replacementAfter } from '../steps.js';

export default scenario({
  section: 'Restarts',
  title: 'a worker that is killed is replaced',
  app: { instances: 1 },
  run: service => replacementAfter(service, async victim => service.killWorker(victim)),
  expect: same('replaced, with the same instance number'),
});
