/** A worker with a helper process gets the order to drain as a message. */
import { better, scenario } from '../scenario.js';
import { helperAfterStop } from '../steps.js';

export default scenario({
  section: 'Stop',
  title: 'the child processes of a worker end with it, also with `shutdown_with_message`',
  program: 'with-helper.js',
  app: { instances: 1, shutdown_with_message: true },
  run: helperAfterStop,
  expect: better({
    pm2: 'the helper is left',
    native: 'no helper is left',
    reason: 'helpers end after their worker, however it is stopped',
  }),
});
