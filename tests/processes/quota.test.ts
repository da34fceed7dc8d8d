/** A real control group with a CPU quota, where this machine lets us make one. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { cleanUp, CLUSTER, start, until } from '../support/processes.js';
import { appFile } from '../support/service.js';

jest.setTimeout(60_000);

/** A group of one CPU and a half. @returns its folder, or nothing where that is not allowed */
function makeGroup(): string | undefined {
  const isSecond = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const group = join('/sys/fs/cgroup', isSecond ? '' : 'cpu', `cabe-test-${process.pid}`);
  try {
    mkdirSync(group);
    if (isSecond) writeFileSync(join(group, 'cpu.max'), '150000 100000');
    else writeFileSync(join(group, 'cpu.cfs_quota_us'), '150000');
    return group;
  } catch {
    if (existsSync(group)) rmdirSync(group);
    return undefined;
  }
}

function isRemoved(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false; // a process is still in it
  }
}

const group = makeGroup();
afterAll(async () => {
  await cleanUp();
  if (group !== undefined) await until(() => isRemoved(group), 'the group is empty');
});

/** What `check` says of a service that would like every CPU. */
async function workersWithin(...launcher: readonly string[]): Promise<string> {
  const file = appFile('', { instances: 'max' });
  const running = start([CLUSTER, 'check', '--config', file], {}, undefined, launcher);
  expect((await running.ended).code).toBe(0);
  return /workers +(.*)/.exec(running.text())?.[1] ?? running.text();
}

const many = cpus().length > 1 && process.platform === 'linux' ? describe : describe.skip;

many('of several CPUs', () => {
  (group === undefined ? describe.skip : describe)('a control group', () => {
    test('with a quota of one and a half leaves one worker, and that is said', async () => {
      const within = await workersWithin('sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh');
      expect(within).toMatch(/^1 \(\d+ total CPUs, limited to 1 by cgroup quota\)$/);
    });
  });

  test('an affinity of one leaves one worker, and that is said', async () => {
    expect(await workersWithin('taskset', '-c', '0')).toMatch(
      /^1 \(\d+ total CPUs, limited to 1 by CPU affinity\)$/,
    );
  });
});
