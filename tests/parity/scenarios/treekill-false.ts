/** A worker with a helper process, and `treekill: false`. */
import { same, scenario } from '../scenario.js';
import { helperAfterStop } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: '`treekill: false` does not end the child processes of a worker',
  program: 'with-helper.js',
  app: { instances: 1, treekill: false },
  run: helperAfterStop,
  expect: same('the helper is left'),
});
