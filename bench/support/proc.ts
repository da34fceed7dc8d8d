/** CPU time, memory and children of processes, from /proc. Linux only. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds per clock tick, the unit of every CPU time in /proc. */
const TICK_MS = 1_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** The fields of a stat file from the third on; the second, the name, may contain spaces and brackets. */
function statOf(pid: number | 'self'): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** CPU time of a process so far, in user and kernel mode. */
export function cpuMs(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** CPU time of a process and of its children that have ended; 0 if the process has ended. */
export function totalCpuMs(pid: number | 'self'): number {
  try {
    return statOf(pid)
      .slice(11, 15)
      .reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0);
  } catch {
    return 0;
  }
}

/** CPU time of this process and of its children that have ended. */
export const ownCpuMs = (): number => totalCpuMs('self');

/** As {@link cpuMs}, from the scheduler's nanoseconds: for processes that use little CPU time. */
export function fineCpuMs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map(task => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
    .reduce((sum, ms) => sum + ms, 0);
}

/** How often the threads of a process have gone to sleep, which is about how often they were woken. */
export function sleeps(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map(task =>
      Number(field(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'), 'voluntary_ctxt_switches')),
    )
    .reduce((sum, count) => sum + count, 0);
}

/** CPU time of all cores together, including what the hypervisor took. */
export function machineCpuMs(): number {
  const [user, nice, system, , , irq, softirq, steal] = (
    /^cpu +(.+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? ''
  )
    .split(' ')
    .map(Number);
  return (
    [user, nice, system, irq, softirq, steal].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) * TICK_MS
  );
}

export interface Memory {
  /** Resident memory, including pages shared with other processes. In MB. */
  readonly rss: number;
  /** Memory that would be freed if the process ended. In MB. */
  readonly uss: number;
}

export function memory(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mb = (name: string): number => Number.parseInt(field(text, name), 10) / 1_024;
  return { rss: mb('Rss'), uss: mb('Private_Clean') + mb('Private_Dirty') };
}

export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(candidate => {
      try {
        const [state, parent] = statOf(candidate);
        return Number(parent) === pid && state !== 'Z';
      } catch {
        return false; // it has just ended
      }
    });
}

export function isAlive(pid: number): boolean {
  try {
    return statOf(pid)[0] !== 'Z';
  } catch {
    return false;
  }
}

/** The CPUs that this process may use. */
export function allowedCpus(): number[] {
  const list = field(readFileSync('/proc/self/status', 'utf8'), 'Cpus_allowed_list');
  return list.split(',').flatMap(range => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function field(text: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.+)$`, 'm').exec(text)?.[1] ?? '';
}
