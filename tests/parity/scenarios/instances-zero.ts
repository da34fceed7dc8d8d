/** `instances: 0`. */
import { same, scenario } from '../scenario.js';
import { startOnAllCpus } from '../steps.js';

export default scenario({
  section: 'Number of workers',
  title: '`0` starts a worker for each CPU',
  app: { instances: 0 },
  run: startOnAllCpus,
  expect: same('a worker for each CPU'),
});
