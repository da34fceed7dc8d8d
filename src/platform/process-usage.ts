/** What a process uses: read from `/proc`, or reported by the process where there is none; nothing is spawned for it. */
import { readFileSync } from 'node:fs';

/** Linux reports CPU time in ticks of 1/100 s, independent of the kernel's own HZ (USER_HZ, see proc(5)). */
const TICK_MS = 10;

export interface Usage {
  /** Resident set size in bytes. */
  readonly rss: number;
  /** CPU time spent since the process began, in ms. */
  readonly cpuMs: number;
}

/** @returns nothing where the process is gone or the system has no `/proc`. */
export function readUsage(pid: number): Usage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    // The command name, the second field, may hold spaces and brackets; the fields behind it are plain numbers.
    const [utime, stime] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number);
    if (kilobytes === undefined || utime === undefined || stime === undefined) return undefined;
    return { rss: Number(kilobytes) * 1024, cpuMs: (utime + stime) * TICK_MS };
  } catch {
    return undefined; // gone between two looks, or no /proc: both mean "not known"
  }
}

/** Where the figures come from. */
export interface UsageSource {
  /** Whether workers have to be asked: macOS has no `/proc`. */
  readonly asks: boolean;
  of(pid: number): Usage | undefined;
  /** A worker reports its usage. */
  record(pid: number, usage: Usage): void;
  /** Drops the usage of all processes but these. */
  keep(pids: readonly number[]): void;
}

export function createUsageSource(hasProc = readUsage(process.pid) !== undefined): UsageSource {
  if (hasProc) return { asks: false, of: readUsage, record: () => undefined, keep: () => undefined };
  const latest = new Map<number, Usage>();
  return {
    asks: true,
    of: pid => latest.get(pid),
    record: (pid, usage) => void latest.set(pid, usage),
    keep: pids => dropAllBut(pids, latest),
  };
}

/** Memory and CPU of processes as operators want them. */
export interface UsageMeter {
  /** `cpu` is percent of one core since the last look; 0 at the first. */
  of(pid: number): { readonly memory: number; readonly cpu: number } | undefined;
  /** Drops all processes but these. */
  keep(pids: readonly number[]): void;
}

export function createUsageMeter(
  now: () => number = () => performance.now(),
  read: (pid: number) => Usage | undefined = readUsage,
): UsageMeter {
  const last = new Map<number, { readonly cpuMs: number; readonly at: number; readonly cpu: number }>();
  return {
    of(pid) {
      const usage = read(pid);
      if (usage === undefined) {
        last.delete(pid);
        return undefined;
      }
      const known = last.get(pid);
      // Less CPU time than before: another process with the same pid.
      const before =
        known === undefined || known.cpuMs > usage.cpuMs ? { cpuMs: usage.cpuMs, at: now(), cpu: 0 } : known;
      const elapsed = now() - before.at;
      // Two looks within a tick or two would divide noise by nearly nothing.
      const cpu = elapsed < 20 * TICK_MS ? before.cpu : (100 * (usage.cpuMs - before.cpuMs)) / elapsed;
      if (elapsed >= 20 * TICK_MS || before !== known) last.set(pid, { cpuMs: usage.cpuMs, at: now(), cpu });
      return { memory: usage.rss, cpu: Math.round(cpu * 10) / 10 };
    },
    keep(pids) {
      dropAllBut(pids, last);
    },
  };
}

function dropAllBut(pids: readonly number[], known: Map<number, unknown>): void {
  for (const pid of known.keys()) if (!pids.includes(pid)) known.delete(pid);
}
