/** How much memory this process and its children may take together, and whether the kernel has killed one for it. */
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { cgroupFolders, lines, type CgroupFolder } from './cgroups.js';

export interface MemoryLimit {
  readonly bytes: number;
  /** What sets it: a control group (of a container, a systemd unit), or the size of the machine. */
  readonly of: 'cgroup' | 'machine';
}

/** The tightest memory limit of this process's control group and of all above it, at most the machine's memory. */
export function readMemoryLimit(root = '/', machine = totalmem()): MemoryLimit {
  const limits = cgroupFolders('memory', root).map(limitOf);
  const least = Math.min(...limits.filter(limit => limit !== undefined));
  // Version 1 writes "no limit" as a number larger than any machine.
  return least < machine ? { bytes: least, of: 'cgroup' } : { bytes: machine, of: 'machine' };
}

function limitOf({ version, folder }: CgroupFolder): number | undefined {
  const [value = ''] = lines(join(folder, version === 2 ? 'memory.max' : 'memory.limit_in_bytes'));
  return /^\d+$/.test(value) ? Number(value) : undefined;
}

/**
 * How much more memory this process may take, in bytes: what is left of the tightest control group, and of the machine.
 * Pages of files count as free where they are inactive, because the kernel takes them back first.
 */
export function readAvailableMemory(root = '/'): number {
  const [kb] = lines(join(root, 'proc/meminfo')).flatMap(
    line => /^MemAvailable: +(\d+) kB$/.exec(line)?.[1] ?? [],
  );
  const machine = kb === undefined ? freemem() : Number(kb) * 1_024;
  const groups = cgroupFolders('memory', root).flatMap(group => leftIn(group) ?? []);
  return Math.max(0, Math.min(machine, ...groups));
}

function leftIn(group: CgroupFolder): number | undefined {
  const { version, folder } = group;
  const limit = limitOf(group);
  const [usage] = lines(join(folder, version === 2 ? 'memory.current' : 'memory.usage_in_bytes'));
  if (limit === undefined || usage === undefined) return undefined;
  const inactive = version === 2 ? 'inactive_file' : 'total_inactive_file';
  const [reclaimable = '0'] = lines(join(folder, 'memory.stat')).flatMap(
    line => new RegExp(`^${inactive} (\\d+)$`).exec(line)?.[1] ?? [],
  );
  return limit - Number(usage) + Number(reclaimable);
}

/** Tells which deaths by SIGKILL were the kernel's, for want of memory. */
export interface OomWatch {
  /** To be called every few seconds: a kill that no death has been attributed to is forgotten between two looks. */
  look(): void;
  /** Whether the kernel has killed a process of this control group lately; each of its kills counts once. */
  claimKill(): boolean;
}

export function createOomWatch(root = '/'): OomWatch {
  const count = oomKills(root);
  /** Kills that a death has been attributed to, or that are too old for that. */
  let claimed = count();
  let atLastLook = claimed;

  return {
    look() {
      claimed = Math.max(claimed, atLastLook);
      atLastLook = count();
    },
    claimKill() {
      const isNew = count() > claimed;
      if (isNew) claimed++;
      return isNew;
    },
  };
}

/**
 * The kernel's count of its kills for want of memory; it counts before it kills. Version 2 counts the groups below as
 * well, version 1 the group alone.
 */
function oomKills(root: string): () => number {
  for (const { version, folder } of cgroupFolders('memory', root)) {
    const path = join(folder, version === 2 ? 'memory.events' : 'memory.oom_control');
    if (countIn(path) !== undefined) return () => countIn(path) ?? 0;
  }
  return () => 0;
}

function countIn(path: string): number | undefined {
  const [count] = lines(path).flatMap(line => /^oom_kill (\d+)$/.exec(line)?.[1] ?? []);
  return count === undefined ? undefined : Number(count);
}
