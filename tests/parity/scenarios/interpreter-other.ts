/** `interpreter` with the path of another Node. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { better, scenario } from '../scenario.js';

export default scenario({
  section: 'Environment',
  title: '`interpreter` cannot be another Node',
  async run(service) {
    const other = join(service.folder, 'node');
    service.writeFile('node', `#!/bin/sh\nexec ${process.execPath} "$@"\n`);
    chmodSync(other, 0o755);
    service.writeAppFile({ instances: 1, interpreter: other });
    const { ok, text } = await service.start();
    if (ok) return 'runs with the Node of the supervisor, and says nothing';
    return text.includes(`got \\"${other}\\"`) ? 'refused, and named' : 'refused';
  },
  expect: better({
    pm2: 'runs with the Node of the supervisor, and says nothing',
    native: 'refused, and named',
    reason: 'node:cluster cannot start another Node, and an app that needs one should not run on this one',
  }),
});
