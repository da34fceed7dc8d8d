/** The same variable in the shell and in `env`. */
import { same, scenario } from '../scenario.js';
import { read } from '../steps.js';

export default scenario({
  chapter: 'Environment',
  promise: 'the file wins over the shell, and the shell reaches the worker',
  shell: { COLOUR: 'of the shell', SHAPE: 'of the shell' },
  app: { instances: 1, env: { COLOUR: 'of the file' } },
  async play(service) {
    await service.started(1);
    return `COLOUR ${await read(service, '/env?COLOUR')}, SHAPE ${await read(service, '/env?SHAPE')}`;
  },
  expect: same('COLOUR of the file, SHAPE of the shell'),
});
