/** `interpreter` with the path of Node. */
import { same, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: '`interpreter` may be the path of the Node that runs the supervisor',
  app: { instances: 1, interpreter: process.execPath },
  async run(service) {
    await service.startAndServe(1);
    return `worker ${await bodyOf(service, '/')} serves`;
  },
  expect: same('worker 0 serves'),
});
