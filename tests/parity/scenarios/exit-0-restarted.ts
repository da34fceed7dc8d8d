/** A worker ends with exit code 0, unasked. */
import { same, scenario } from '../scenario.js';
import { provoke, replacedAfter } from '../steps.js';

export default scenario({
  chapter: 'Restarts',
  promise: 'a worker that leaves unasked is replaced, even with exit code 0',
  app: { instances: 1 },
  play: service => replacedAfter(service, () => provoke(service, '/exit?0')),
  expect: same('replaced, with the same instance number'),
});
