/** `args` as one string with spaces. */
import { same, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: 'the worker gets `args` as its arguments',
  app: { instances: 1, args: '--first one --second two' },
  async run(service) {
    await service.startAndServe(1);
    return bodyOf(service, '/args');
  },
  expect: same('--first one --second two'),
});
