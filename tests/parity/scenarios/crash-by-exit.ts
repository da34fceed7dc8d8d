/** A worker ends with exit code 3. */
import { same, scenario } from '../scenario.js';
import { provoke, replacedAfter } from '../steps.js';

export default scenario({
  chapter: 'Restarts',
  promise: 'a worker that exits with an error is replaced',
  app: { instances: 1 },
  play: service => replacedAfter(service, () => provoke(service, '/exit?3')),
  expect: same('replaced, with the same instance number'),
});
