/** A worker throws where nobody catches. */
import { same, scenario } from '../scenario.js';
import { provoke, replacedAfter } from '../steps.js';

export default scenario({
  chapter: 'Restarts',
  promise: 'a worker that throws is replaced',
  app: { instances: 1 },
  play: service => replacedAfter(service, () => provoke(service, '/throw')),
  expect: same('replaced, with the same instance number'),
});
