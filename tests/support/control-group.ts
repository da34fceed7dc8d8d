/** A control group with a limit, where this machine lets us make one: version 2 of Linux' groups, or version 1. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './processes.js';

export interface ControlGroup {
  /** A command that puts itself into the group, and becomes the command behind it. */
  readonly launcher: readonly string[];
  /** Changes the limit of all that is in it. */
  limit(to: Limit): void;
  /** Once all of its processes have ended. */
  remove(): Promise<void>;
}

/** Memory in bytes, CPU in percent of one core, tasks (processes and threads) as a number. */
export type Limit =
  { readonly memory: number } | { readonly cpu: number } | { readonly tasks: number | 'max' };

/** Short, so that a starved group waits often and not long. */
const PERIOD_US = 20_000;

const isSecond = (): boolean => existsSync('/sys/fs/cgroup/cgroup.controllers');

/** @returns nothing where that is not allowed */
export function makeControlGroup(limit: Limit): ControlGroup | undefined {
  const [controller] = filesOf(limit);
  const group = join(
    '/sys/fs/cgroup',
    isSecond() ? '' : controller,
    `cabe-test-${controller}-${process.pid}`,
  );
  const set = (to: Limit): void => {
    const [, files] = filesOf(to);
    for (const [name, value] of files) writeFileSync(join(group, name), String(value));
  };
  try {
    mkdirSync(group);
    set(limit);
  } catch {
    if (existsSync(group)) rmdirSync(group);
    return undefined;
  }
  return {
    launcher: ['sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh'],
    limit: set,
    remove: () => until(() => isRemoved(group), 'the group is empty'),
  };
}

type Files = readonly (readonly [name: string, value: number | string])[];

function filesOf(limit: Limit): readonly [controller: string, files: Files] {
  if ('memory' in limit)
    return ['memory', [[isSecond() ? 'memory.max' : 'memory.limit_in_bytes', limit.memory]]];
  if ('tasks' in limit) return ['pids', [['pids.max', limit.tasks]]];
  const quota = Math.round((PERIOD_US * limit.cpu) / 100);
  if (isSecond()) return ['cpu', [['cpu.max', `${quota} ${PERIOD_US}`]]];
  return [
    'cpu',
    [
      ['cpu.cfs_period_us', PERIOD_US],
      ['cpu.cfs_quota_us', quota],
    ],
  ];
}

function isRemoved(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false; // a process is still in it
  }
}
