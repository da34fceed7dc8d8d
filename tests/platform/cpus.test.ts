import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { countWorkers, readQuota, type Machine } from '../../src/platform/cpus.js';
import { ROOT } from '../support/processes.js';

const machine = (more: Partial<Machine> = {}): Machine => ({
  cpus: 8,
  affinity: 8,
  quota: undefined,
  ...more,
});
const count = (instances: number, more: Partial<Machine> = {}, webConcurrency?: number): string => {
  const { count: workers, reason } = countWorkers({ instances, webConcurrency, machine: machine(more) });
  return `${workers} (${reason})`;
};

test.each([
  [-1, {}, '7 (8 total CPUs, reserving 1 for OS)'],
  [-3, {}, '5 (8 total CPUs, reserving 3 for OS)'],
  [0, {}, '8 (8 total CPUs)'],
  [3, {}, '3 (instances: 3)'],
  [-1, { cpus: 1, affinity: 1 }, '1 (1 total CPU)'],
  [-9, {}, '1 (8 total CPUs)'],
  [-1, { quota: 2 }, '2 (8 total CPUs, limited to 2 by cgroup quota)'],
  [-1, { quota: 2.9 }, '2 (8 total CPUs, limited to 2 by cgroup quota)'],
  [-1, { quota: 0.5 }, '1 (8 total CPUs, limited to 1 by cgroup quota)'],
  [0, { quota: 2 }, '2 (8 total CPUs, limited to 2 by cgroup quota)'],
  [-1, { quota: 16 }, '7 (8 total CPUs, reserving 1 for OS)'],
  [0, { affinity: 2 }, '2 (8 total CPUs, limited to 2 by CPU affinity)'],
  [-1, { affinity: 3 }, '2 (8 total CPUs, limited to 3 by CPU affinity, reserving 1 for OS)'],
  [-1, { affinity: 1 }, '1 (8 total CPUs, limited to 1 by CPU affinity)'],
])('instances: %i on %p is %s', (instances, more, expected) => {
  expect(count(instances, more)).toBe(expected);
});

test('WEB_CONCURRENCY wins over everything', () => {
  expect(count(-1, { quota: 1 }, 12)).toBe('12 (WEB_CONCURRENCY=12)');
});

test('there is always a worker, and never more than the machine allows unless configured', () => {
  const cpus = fc.integer({ min: 1, max: 256 });
  fc.assert(
    fc.property(
      fc.integer({ min: -300, max: 0 }),
      cpus,
      cpus,
      fc.option(fc.double({ min: 0.01, max: 300, noNaN: true }), { nil: undefined }),
      (instances, total, allowed, quota) => {
        const affinity = Math.min(total, allowed);
        const { count: workers } = countWorkers({
          instances,
          webConcurrency: undefined,
          machine: { cpus: total, affinity, quota },
        });
        return workers >= 1 && workers <= affinity && (quota === undefined || workers <= Math.max(1, quota));
      },
    ),
  );
});

describe('the quota of a cgroup', () => {
  const folders: string[] = [];
  afterAll(() => folders.forEach(folder => rmSync(folder, { recursive: true })));

  /** A file system of the test's own. */
  function tree(files: Readonly<Record<string, string>>): string {
    const root = mkdtempSync(join(tmpdir(), 'cabe-cgroup-'));
    folders.push(root);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    return root;
  }

  const V2_MOUNT = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';
  const V1_MOUNT = '31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 - cgroup cgroup rw,cpu,cpuacct\n';
  const v2 = (group: string, files: Record<string, string>, mount = V2_MOUNT): string =>
    tree({ 'proc/self/cgroup': `0::${group}\n`, 'proc/self/mountinfo': mount, ...files });
  const v1 = (group: string, files: Record<string, string>, mount = V1_MOUNT): string =>
    tree({
      'proc/self/cgroup': `12:memory:${group}\n4:cpu,cpuacct:${group}\n`,
      'proc/self/mountinfo': mount,
      ...files,
    });

  test('version 2: our own group', () => {
    expect(readQuota(v2('/app', { 'sys/fs/cgroup/app/cpu.max': '150000 100000\n' }))).toBe(1.5);
  });

  test('version 2: "max" bounds nothing', () => {
    expect(readQuota(v2('/app', { 'sys/fs/cgroup/app/cpu.max': 'max 100000\n' }))).toBeUndefined();
  });

  test('version 2: the tightest of our group and those above it', () => {
    const root = v2('/pod/app', {
      'sys/fs/cgroup/pod/app/cpu.max': '400000 100000\n',
      'sys/fs/cgroup/pod/cpu.max': '200000 100000\n',
    });
    expect(readQuota(root)).toBe(2);
  });

  test('version 2 inside a container, where our group is the top', () => {
    expect(readQuota(v2('/', { 'sys/fs/cgroup/cpu.max': '50000 100000\n' }))).toBe(0.5);
  });

  test('version 1: our own group', () => {
    const at = 'sys/fs/cgroup/cpu,cpuacct/app';
    expect(
      readQuota(
        v1('/app', { [`${at}/cpu.cfs_quota_us`]: '250000\n', [`${at}/cpu.cfs_period_us`]: '100000\n' }),
      ),
    ).toBe(2.5);
  });

  test('version 1: -1 bounds nothing', () => {
    const at = 'sys/fs/cgroup/cpu,cpuacct/app';
    expect(
      readQuota(v1('/app', { [`${at}/cpu.cfs_quota_us`]: '-1\n', [`${at}/cpu.cfs_period_us`]: '100000\n' })),
    ).toBeUndefined();
  });

  test("version 1 inside a container that sees the host's path of its group, but only its own part", () => {
    const mount = '31 23 0:27 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n';
    const root = v1(
      '/docker/abc',
      { 'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '100000\n', 'sys/fs/cgroup/cpu/cpu.cfs_period_us': '50000\n' },
      mount,
    );
    expect(readQuota(root)).toBe(2);
  });

  test('both versions mounted together: whichever says something', () => {
    const root = tree({
      'proc/self/cgroup': '4:cpu:/a\n0::/b\n',
      'proc/self/mountinfo': V2_MOUNT.replace('/sys/fs/cgroup', '/sys/fs/cgroup/unified') + V1_MOUNT,
      'sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us': '300000\n',
      'sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us': '100000\n',
    });
    expect(readQuota(root)).toBe(3);
  });

  test.each([
    ['no cgroups at all', {}],
    [
      'files that make no sense',
      {
        'proc/self/cgroup': 'nonsense\n0::/x\n',
        'proc/self/mountinfo': `rubbish\n${V2_MOUNT}`,
        'sys/fs/cgroup/x/cpu.max': 'what?\n',
      },
    ],
    [
      'a period of nought',
      {
        'proc/self/cgroup': '0::/x\n',
        'proc/self/mountinfo': V2_MOUNT,
        'sys/fs/cgroup/x/cpu.max': '100 0\n',
      },
    ],
  ])('%s: no bound', (_name, files) => {
    expect(readQuota(tree(files))).toBeUndefined();
  });
});

test('a process that taskset binds to one CPU counts one', () => {
  const code = "console.log(require('./dist/platform/cpus.js').readMachine().affinity)";
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  expect(run('taskset', '-c', '0', process.execPath, '-e', code)).toBe('1\n');
});
