/** The supervisor may use one CPU only; `instances: 'max'`. */
import { existsSync, readFileSync } from 'node:fs';
import { better, NotPossibleHere, scenario } from '../scenario.js';
import { CPUS, allServing } from '../steps.js';

/** The first CPU of `Cpus_allowed_list: 0-3,8`; it need not be CPU 0. */
const firstUsableCpu = (): string =>
  /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';

export default scenario({
  section: 'Number of workers',
  title: 'CPU affinity limits the number of workers',
  app: { instances: 'max' },
  async run(service) {
    if (CPUS < 2 || !existsSync('/usr/bin/taskset')) throw new NotPossibleHere('needs two CPUs and taskset');
    await service.start({ launcher: ['taskset', '-c', firstUsableCpu()] });
    const workers = await allServing(service);
    if (workers.length === CPUS) return 'a worker for each CPU of the machine';
    return workers.length === 1 ? 'one worker on one CPU' : `${workers.length} workers`;
  },
  expect: better({
    pm2: 'a worker for each CPU of the machine',
    native: 'one worker on one CPU',
    reason: 'several workers would compete for one CPU',
  }),
});
