/** `node_args`. */
import { same, scenario } from '../scenario.js';
import { read } from '../steps.js';

export default scenario({
  chapter: 'Environment',
  promise: '`node_args` reach Node',
  app: { instances: 1, node_args: ['--max-old-space-size=200'] },
  async play(service) {
    await service.started(1);
    const seen = await read(service, '/node-args');
    return seen.includes('--max-old-space-size=200') ? 'Node has them' : `Node has ${seen}`;
  },
  expect: same('Node has them'),
});
