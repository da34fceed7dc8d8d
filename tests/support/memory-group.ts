/** A control group with a memory limit, where this machine lets us make one. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './processes.js';

export interface MemoryGroup {
  /** A command that puts itself into the group, and becomes the command behind it. */
  readonly launcher: readonly string[];
  /** Once all of its processes have ended. */
  remove(): Promise<void>;
}

/** @returns nothing where that is not allowed */
export function makeMemoryGroup(bytes: number): MemoryGroup | undefined {
  const isSecond = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const group = join('/sys/fs/cgroup', isSecond ? '' : 'memory', `cabe-test-memory-${process.pid}`);
  try {
    mkdirSync(group);
    writeFileSync(join(group, isSecond ? 'memory.max' : 'memory.limit_in_bytes'), String(bytes));
  } catch {
    if (existsSync(group)) rmdirSync(group);
    return undefined;
  }
  return {
    launcher: ['sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh'],
    remove: () => until(() => isRemoved(group), 'the group is empty'),
  };
}

function isRemoved(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false; // a process is still in it
  }
}
