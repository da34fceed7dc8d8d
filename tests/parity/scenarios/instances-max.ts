/** `instances: 'max'`. */
import { same, scenario } from '../scenario.js';
import { startOnAllCpus } from '../steps.js';

export default scenario({
  section: 'Number of workers',
  title: '`max` starts a worker for each CPU',
  app: { instances: 'max' },
  run: startOnAllCpus,
  expect: same('a worker for each CPU'),
});
