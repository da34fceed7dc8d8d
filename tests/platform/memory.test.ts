/** The memory limit of this process, and the kernel's kills for want of memory, from control groups of both versions. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createOomWatch, readAvailableMemory, readMemoryLimit } from '../../src/platform/memory.js';

const MB = 2 ** 20;
const MACHINE = 8_192 * MB;

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'cabe-memory-'))));
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string | number): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), `${content}\n`);
}

/** Version 2, in the group `/a/b`. */
function second(): void {
  write('proc/self/mountinfo', '31 23 0:28 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate');
  write('proc/self/cgroup', '0::/a/b');
}

/** Version 1, in the group `/docker/x`, of which a container sees itself as the top. */
function first(): void {
  write('proc/self/mountinfo', '35 31 0:32 /docker/x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory');
  write('proc/self/cgroup', '4:memory:/docker/x\n3:cpu,cpuacct:/docker/x');
}

const limit = (): unknown => readMemoryLimit(root, MACHINE);
const machine = { bytes: MACHINE, of: 'machine' };
const cgroup = (bytes: number): unknown => ({ bytes, of: 'cgroup' });

describe('the limit', () => {
  test('is the memory of the machine where there are no control groups', () => {
    expect(limit()).toEqual(machine);
  });

  test('is that of the control group', () => {
    second();
    write('sys/fs/cgroup/a/b/memory.max', 512 * MB);
    expect(limit()).toEqual(cgroup(512 * MB));
  });

  test('is the tightest of the control group and its ancestors', () => {
    second();
    write('sys/fs/cgroup/a/b/memory.max', 'max');
    write('sys/fs/cgroup/a/memory.max', 256 * MB);
    write('sys/fs/cgroup/memory.max', 512 * MB);
    expect(limit()).toEqual(cgroup(256 * MB));
  });

  test('is that of a control group of version 1', () => {
    first();
    write('sys/fs/cgroup/memory/memory.limit_in_bytes', 300 * MB);
    expect(limit()).toEqual(cgroup(300 * MB));
  });

  test.each(['9223372036854771712', 'max', ''])(
    'is the memory of the machine where a group says %p',
    content => {
      first();
      write('sys/fs/cgroup/memory/memory.limit_in_bytes', content);
      expect(limit()).toEqual(machine);
    },
  );
});

describe.each([
  ['1', first, 'sys/fs/cgroup/memory/memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill'],
  ['2', second, 'sys/fs/cgroup/a/b/memory.events', 'low 0\nhigh 0\nmax 9\noom 5\noom_kill'],
])('kills in a control group of version %s', (_version, mount, path, text) => {
  const count = (kills: number): void => write(path, `${text} ${kills}`);

  test('are claimed once each, and not if they are older than the service', () => {
    mount();
    count(3);
    const watch = createOomWatch(root);
    expect(watch.claimKill()).toBe(false);
    count(5);
    expect([watch.claimKill(), watch.claimKill(), watch.claimKill()]).toEqual([true, true, false]);
  });

  test('can be claimed after one look, and not after two', () => {
    mount();
    count(0);
    const watch = createOomWatch(root);
    count(1);
    watch.look();
    expect(watch.claimKill()).toBe(true);
    count(2);
    watch.look();
    watch.look();
    expect(watch.claimKill()).toBe(false);
  });
});

test('without control groups there are no kills', () => {
  const watch = createOomWatch(root);
  watch.look();
  expect(watch.claimKill()).toBe(false);
});

test('kills of the group above count where the own one has no counter', () => {
  second();
  write('sys/fs/cgroup/a/memory.events', 'oom_kill 0');
  const watch = createOomWatch(root);
  write('sys/fs/cgroup/a/memory.events', 'oom_kill 1');
  expect(watch.claimKill()).toBe(true);
});

describe('the memory that is available', () => {
  const meminfo = (kb: number): void => write('proc/meminfo', `MemTotal: 9 kB\nMemAvailable:    ${kb} kB`);

  test('is that of the machine where there are no control groups', () => {
    meminfo(2_048);
    expect(readAvailableMemory(root)).toBe(2 * MB);
  });

  test.each([
    [
      '1',
      first,
      'sys/fs/cgroup/memory',
      'memory.limit_in_bytes',
      'memory.usage_in_bytes',
      'total_inactive_file',
    ],
    ['2', second, 'sys/fs/cgroup/a/b', 'memory.max', 'memory.current', 'inactive_file'],
  ])(
    'is what is left of a group of version %s, with its inactive files',
    (_, mount, at, max, usage, files) => {
      meminfo(1_024 * 1_024);
      mount();
      write(`${at}/${max}`, 100 * MB);
      write(`${at}/${usage}`, 90 * MB);
      write(`${at}/memory.stat`, `anon 5\n${files} ${30 * MB}\nactive_file 7`);
      expect(readAvailableMemory(root)).toBe(40 * MB);
    },
  );

  test('is nothing in a group that is above its limit', () => {
    meminfo(2_048);
    second();
    write('sys/fs/cgroup/a/b/memory.max', 100 * MB);
    write('sys/fs/cgroup/a/b/memory.current', 110 * MB);
    expect(readAvailableMemory(root)).toBe(0);
  });
});
