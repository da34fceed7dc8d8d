/** The supervisor runs in a control group with a quota of one CPU; `instances: 'max'`. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../support/processes.js';
import { better, NotPossibleHere, scenario } from '../scenario.js';
import { CPUS, allServing } from '../steps.js';

const PERIOD_US = 100_000;

const processesFileOf = (folder: string): string => join(folder, 'cgroup.procs');

/** A control group (version 1 or 2) with a quota of one CPU. */
function groupOfOneCpu(name: string): string {
  const isVersion2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const folder = join('/sys/fs/cgroup', isVersion2 ? '' : 'cpu', name);
  const [file, content] = isVersion2
    ? ['cpu.max', `${PERIOD_US} ${PERIOD_US}`]
    : ['cpu.cfs_quota_us', String(PERIOD_US)];
  try {
    mkdirSync(folder);
    writeFileSync(join(folder, file), content);
    // Creating a group may be allowed and entering it not: this shell tries, and leaves it when it ends.
    execFileSync('sh', ['-c', `echo $$ > ${processesFileOf(folder)}`], { stdio: 'ignore' });
    return folder;
  } catch {
    tryToRemove(folder);
    throw new NotPossibleHere('needs the right to make and enter a control group with a CPU quota');
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
  section: 'Number of workers',
  title: "a container's CPU quota limits the number of workers",
  app: { instances: 'max' },
  async run(service) {
    if (CPUS < 2) throw new NotPossibleHere('needs two CPUs');
    const group = groupOfOneCpu(`parity-${service.port}`);
    try {
      await service.start({
        launcher: ['sh', '-c', `echo $$ > ${processesFileOf(group)} && exec "$@"`, 'sh'],
      });
      const workers = await allServing(service);
      if (workers.length === CPUS) return 'a worker for each CPU of the machine';
      return workers.length === 1 ? 'one worker for a quota of one CPU' : `${workers.length} workers`;
    } finally {
      service.killSupervisor();
      await until(() => tryToRemove(group), 'the group is empty');
    }
  },
  expect: better({
    pm2: 'a worker for each CPU of the machine',
    native: 'one worker for a quota of one CPU',
    reason: 'more workers than the quota allows for would be throttled',
  }),
});
