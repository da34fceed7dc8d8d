/** `script` is an absolute path with a space in it. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { better, scenario } from '../scenario.js';
import { becomesTrue } from '../steps.js';

export default scenario({
  section: 'Supervisor and port',
  title: '`script` may be an absolute path with a space in it',
  async run(service) {
    const script = join(service.folder, 'my project', 'worker.js');
    cpSync(join(service.folder, 'worker.js'), script);
    cpSync(join(service.folder, 'journal.js'), join(service.folder, 'my project', 'journal.js'));
    service.writeAppFile({ script, instances: 1 });
    const { ok } = await service.start();
    const isAnswering = await becomesTrue(service.isAnswering, 4_000);
    return `start ${ok ? 'reports success' : 'fails'}, the service ${isAnswering ? 'answers' : 'never answers'}`;
  },
  expect: better({
    pm2: 'start reports success, the service never answers',
    native: 'start reports success, the service answers',
    reason:
      'PM2 takes the path for a command line and runs bash; a relative `script` with a `cwd` works under both',
  }),
});
