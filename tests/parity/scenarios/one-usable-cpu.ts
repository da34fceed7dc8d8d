/** The supervisor is bound to one CPU; `instances: 'max'`. */
import { existsSync, readFileSync } from 'node:fs';
import { better, Impossible, scenario } from '../scenario.js';
import { CPUS, settled } from '../steps.js';

/** The first CPU of `Cpus_allowed_list: 0-3,8`: this machine may not let us have the very first one. */
const anyUsableCpu = (): string =>
  /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';

export default scenario({
  chapter: 'Counting',
  promise: 'CPUs that the service may not use are not counted',
  app: { instances: 'max' },
  async play(service) {
    if (CPUS < 2 || !existsSync('/usr/bin/taskset')) throw new Impossible('needs two CPUs and taskset');
    await service.start({ launcher: ['taskset', '-c', anyUsableCpu()] });
    const workers = await settled(service);
    if (workers.length === CPUS) return 'a worker for each CPU of the machine';
    return workers.length === 1 ? 'one worker on its one CPU' : `${workers.length} workers`;
  },
  expect: better({
    pm2: 'a worker for each CPU of the machine',
    native: 'one worker on its one CPU',
    how: 'CPU affinity is respected; workers do not fight over one CPU',
  }),
});
