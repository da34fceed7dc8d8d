/** The app file sets `cwd`; the command is given in another folder. */
import { same, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: '`cwd` applies wherever the command is given',
  app: { instances: 1 },
  async run(service) {
    await service.start({ from: '/' });
    await service.untilAnswering();
    return (await bodyOf(service, '/cwd')) === service.folder ? 'runs in `cwd`' : 'runs elsewhere';
  },
  expect: same('runs in `cwd`'),
});
