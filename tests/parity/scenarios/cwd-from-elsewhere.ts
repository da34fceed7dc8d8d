/** The app file names its `cwd`; the command is given in another folder. */
import { same, scenario } from '../scenario.js';
import { read } from '../steps.js';

export default scenario({
  chapter: 'Environment',
  promise: '`cwd` holds wherever the command is given',
  app: { instances: 1 },
  async play(service) {
    await service.start({ from: '/' });
    await service.answers();
    return (await read(service, '/cwd')) === service.folder ? 'runs in its folder' : 'runs elsewhere';
  },
  expect: same('runs in its folder'),
});
