/** `uid` of a user that does not exist. */
import { NotPossibleHere, same, scenario } from '../scenario.js';

export default scenario({
  section: 'Environment',
  title: 'an unknown `uid` refuses the start, and nothing runs as root',
  app: { instances: 1, uid: 'no-such-user' },
  async run(service) {
    if (process.getuid?.() !== 0) throw new NotPossibleHere('needs root');
    const { text } = await service.start();
    const said = text.includes('no-such-user') ? 'named' : 'not named';
    return `the user is ${said}, ${(await service.workers()).length} workers are started`;
  },
  expect: same('the user is named, 0 workers are started'),
});
