/** `uid`: a user without rights. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { findUser } from '../../../src/platform/users.js';
import { better, NotPossibleHere, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: '`uid` starts workers as that user, who has no rights of root',
  async run(service) {
    const nobody = findUser('nobody');
    if (process.getuid?.() !== 0 || nobody === undefined) throw new NotPossibleHere('needs root');
    chmodSync(service.folder, 0o755);
    service.writeFile('journal', '');
    chmodSync(join(service.folder, 'journal'), 0o666);
    const logs = { out_file: '/dev/null', error_file: '/dev/null' };
    service.writeAppFile({ instances: 1, uid: 'nobody', ...logs });
    // As after a login: root is in its own group twice.
    await service.start({ launcher: ['setpriv', '--groups', '0'] });
    await service.servingPids(1);
    const { uid, gid, groups, home } = JSON.parse(await bodyOf(service, '/user')) as {
      readonly uid: number;
      readonly gid: number;
      readonly groups: readonly number[];
      readonly home: string;
    };
    const isNobody = uid === nobody.uid && gid === nobody.gid && home === nobody.home;
    return `${isNobody ? 'user, group and HOME of nobody' : 'not as nobody'}, ${groups.includes(0) ? 'but still in the group root' : 'in no other group'}`;
  },
  expect: better({
    pm2: 'user, group and HOME of nobody, but still in the group root',
    native: 'user, group and HOME of nobody, in no other group',
    reason: 'a worker that gives up root keeps none of its groups',
  }),
});
