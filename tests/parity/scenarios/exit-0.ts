/** A worker exits with code 0, without an order. */
import { same, scenario } from '../scenario.js';
import { trigger, replacementAfter } from '../steps.js';

export default scenario({
  section: 'Restarts',
  title: 'a worker that exits with code 0 without an order is replaced',
  app: { instances: 1 },
  run: service => replacementAfter(service, () => trigger(service, '/exit?0')),
  expect: same('replaced, with the same instance number'),
});
