/**
 * How many workers this machine is for. Node knows the CPUs and, through `availableParallelism`, the affinity; the
 * quota of a container it does not know (Node 20) or reads by rules of its own, so it is read here.
 */
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { cgroupFolders, lines } from './cgroups.js';

/** What there is to share out. */
export interface Machine {
  /** CPUs of the machine. */
  readonly cpus: number;
  /** Of these, how many this process may run on (`taskset`, cpusets). */
  readonly affinity: number;
  /** CPUs' worth of time that a cgroup grants per second, where it sets a bound. */
  readonly quota: number | undefined;
}

export interface WorkerCount {
  readonly count: number;
  /** Where the number came from, as it stands in the brackets of `Forking N workers (…)`. */
  readonly reason: string;
}

/**
 * One CPU is left to the operating system; but it is the machine's, so a quota that is smaller anyway is not reduced.
 * @param instances the app file's word: so many, `0` = one for each CPU, `-n` = one for each CPU but n
 */
export function countWorkers(request: {
  readonly instances: number;
  readonly webConcurrency: number | undefined;
  readonly machine: Machine;
}): WorkerCount {
  const { instances, webConcurrency, machine } = request;
  if (webConcurrency !== undefined)
    return { count: webConcurrency, reason: `WEB_CONCURRENCY=${webConcurrency}` };
  if (instances > 0) return { count: instances, reason: `instances: ${instances}` };
  const usable = machine.affinity + instances;
  const granted = machine.quota === undefined ? Infinity : Math.max(1, Math.floor(machine.quota));
  return {
    count: Math.max(1, Math.min(usable, granted)),
    reason: reasonFor(machine, -instances, usable, granted),
  };
}

function reasonFor(
  { cpus: total, affinity }: Machine,
  reserved: number,
  usable: number,
  granted: number,
): string {
  const all = `${total} total ${total === 1 ? 'CPU' : 'CPUs'}`;
  if (granted < usable) return `${all}, limited to ${granted} by cgroup quota`;
  const limited = affinity < total ? `, limited to ${affinity} by CPU affinity` : '';
  if (reserved === 0 || usable < 1) return all + limited;
  return `${all}${limited}, reserving ${reserved} for OS`;
}

/** @param root where the file system begins; tests bring their own */
export function readMachine(root = '/'): Machine {
  return { cpus: cpus().length, affinity: availableParallelism(), quota: readQuota(root) };
}

/** The tightest CPU quota of this process's cgroup and of all above it; versions 1 and 2 may be mounted together. */
export function readQuota(root = '/'): number | undefined {
  const quotas = cgroupFolders('cpu', root).map(({ version, folder }) =>
    version === 2 ? quotaV2(folder) : quotaV1(folder),
  );
  const least = Math.min(...quotas.filter(quota => quota !== undefined));
  return least === Infinity ? undefined : least;
}

/** `cpu.max`: `"max 100000"` or `"50000 100000"`, quota and period in µs. */
function quotaV2(folder: string): number | undefined {
  const [quota, period] = (lines(join(folder, 'cpu.max'))[0] ?? '').split(' ').map(Number);
  return ratio(quota, period);
}

/** `cpu.cfs_quota_us` is -1 where nothing bounds it. */
function quotaV1(folder: string): number | undefined {
  const [quota] = lines(join(folder, 'cpu.cfs_quota_us')).map(Number);
  const [period] = lines(join(folder, 'cpu.cfs_period_us')).map(Number);
  return ratio(quota, period);
}

function ratio(quota: number | undefined, period: number | undefined): number | undefined {
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : undefined;
}
