/** The processes that a process has started, and those in their turn: from Linux' `/proc`; elsewhere none is found. */
import { readdirSync, readFileSync } from 'node:fs';

/** A process, distinguished from a later one of the same pid by its start time. */
export interface ProcessRef {
  readonly pid: number;
  /** In ticks since the system was booted. */
  readonly startedAt: number;
}

/** The process that has this pid now; nothing if there is none, or only a zombie. */
export function processOf(pid: number): ProcessRef | undefined {
  const stat = quietly(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === undefined) return undefined;
  // The command name, the second field, may hold spaces and brackets (proc_pid_stat(5): state is 3, starttime 22).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, startedAt: Number(fields[19]) };
}

/** Whether a process of this user has this pid. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** All descendants of this very process, deepest first. They can be found while their ancestors live. */
export function descendantsOf(ancestor: ProcessRef): ProcessRef[] {
  if (!isRunning(ancestor)) return [];
  const children = childrenOf(ancestor.pid).flatMap(pid => processOf(pid) ?? []);
  return children.flatMap(child => [...descendantsOf(child), child]);
}

/** Whether this very process lives. */
export function isRunning({ pid, startedAt }: ProcessRef): boolean {
  return processOf(pid)?.startedAt === startedAt;
}

/** Sends a signal if this very process lives, and if it is ours to signal. */
export function signalProcess(process_: ProcessRef, signal: NodeJS.Signals): void {
  if (!isRunning(process_)) return;
  try {
    process.kill(process_.pid, signal);
  } catch {
    // It ended in this moment (ESRCH), or has become another user's (EPERM).
  }
}

/** Each thread of a process has children of its own (proc_pid_task(5), since Linux 4.2). */
function childrenOf(pid: number): number[] {
  const threads = quietly(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.flatMap(thread => {
    const text = quietly(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')) ?? '';
    return text.split(' ').filter(Boolean).map(Number);
  });
}

/** Processes come and go while they are looked at. */
function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
