/** The supervisor runs in a control group that may use one CPU's time; `instances: 'max'`. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../support/processes.js';
import { better, Impossible, scenario } from '../scenario.js';
import { CPUS, settled } from '../steps.js';

const PERIOD_US = 100_000;

const entranceOf = (folder: string): string => join(folder, 'cgroup.procs');

/** A group of version 1 or 2 that may use the time of one CPU. */
function groupOfOneCpu(name: string): string {
  const isSecond = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const folder = join('/sys/fs/cgroup', isSecond ? '' : 'cpu', name);
  const [file, content] = isSecond
    ? ['cpu.max', `${PERIOD_US} ${PERIOD_US}`]
    : ['cpu.cfs_quota_us', String(PERIOD_US)];
  try {
    mkdirSync(folder);
    writeFileSync(join(folder, file), content);
    // A group can be made where it must not be entered: this shell tries, and leaves with its end.
    execFileSync('sh', ['-c', `echo $$ > ${entranceOf(folder)}`], { stdio: 'ignore' });
    return folder;
  } catch {
    tryToRemove(folder);
    throw new Impossible('needs the right to make and enter a control group with a CPU quota');
  }
}

function tryToRemove(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

export default scenario({
  chapter: 'Counting',
  promise: "a container's CPU quota is respected",
  app: { instances: 'max' },
  async play(service) {
    if (CPUS < 2) throw new Impossible('needs two CPUs');
    const group = groupOfOneCpu(`parity-${service.port}`);
    try {
      await service.start({ launcher: ['sh', '-c', `echo $$ > ${entranceOf(group)} && exec "$@"`, 'sh'] });
      const workers = await settled(service);
      if (workers.length === CPUS) return 'a worker for each CPU of the machine';
      return workers.length === 1 ? 'one worker for its quota of one CPU' : `${workers.length} workers`;
    } finally {
      service.killSupervisor();
      await until(() => tryToRemove(group), 'the group is empty');
    }
  },
  expect: better({
    pm2: 'a worker for each CPU of the machine',
    native: 'one worker for its quota of one CPU',
    how: 'a container is not throttled by more workers than its quota feeds',
  }),
});
