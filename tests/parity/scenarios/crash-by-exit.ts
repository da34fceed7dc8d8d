/** A worker exits with code 3. */
import { same, scenario } from '../scenario.js';
import { trigger, replacementAfter } from '../steps.js';

export default scenario({
  section: 'Restarts',
  title: 'a worker that exits with an error is replaced',
  app: { instances: 1 },
  run: service => replacementAfter(service, () => trigger(service, '/exit?3')),
  expect: same('replaced, with the same instance number'),
});
