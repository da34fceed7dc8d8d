/** A worker throws an exception that nothing catches. */
import { same, scenario } from '../scenario.js';
import { trigger, replacementAfter } from '../steps.js';

export default scenario({
  section: 'Restarts',
  title: 'a worker with an uncaught exception is replaced',
  app: { instances: 1 },
  run: service => replacementAfter(service, () => trigger(service, '/throw')),
  expect: same('replaced, with the same instance number'),
});
