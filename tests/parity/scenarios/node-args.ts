/** `node_args`. */
import { same, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: 'Node gets `node_args`',
  app: { instances: 1, node_args: ['--max-old-space-size=200'] },
  async run(service) {
    await service.startAndServe(1);
    const given = await bodyOf(service, '/node-args');
    return given.includes('--max-old-space-size=200') ? 'Node gets them' : `Node gets ${given}`;
  },
  expect: same('Node gets them'),
});
