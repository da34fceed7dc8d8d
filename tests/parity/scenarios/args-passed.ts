/** `args` as a text with quotes. */
import { same, scenario } from '../scenario.js';
import { read } from '../steps.js';

export default scenario({
  chapter: 'Environment',
  promise: '`args` reach the worker as its arguments',
  app: { instances: 1, args: '--first one --second two' },
  async play(service) {
    await service.started(1);
    return read(service, '/args');
  },
  expect: same('--first one --second two'),
});
