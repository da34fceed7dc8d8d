/** The supervisor is bound to one CPU; `instances: 'max'`. */
import { existsSync } from 'node:fs';
import { better, Impossible, scenario } from '../scenario.js';
import { CPUS, settled } from '../steps.js';

export default scenario({
  chapter: 'Counting',
  promise: 'CPUs that the service may not use are not counted',
  app: { instances: 'max' },
  async play(service) {
    if (CPUS < 2 || !existsSync('/usr/bin/taskset')) throw new Impossible('needs two CPUs and taskset');
    await service.start({ launcher: ['taskset', '-c', '0'] });
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
