/**
 * How many workers this machine is for. Node knows the CPUs and, through `availableParallelism`, the affinity; the
 * quota of a container it does not know (Node 20) or reads by rules of its own, so it is read here.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join, posix } from 'node:path';

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
    reason: whence(machine, -instances, usable, granted),
  };
}

function whence(
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
  const quotas = cgroupFolders(root).map(({ version, folder }) =>
    version === 2 ? quotaV2(folder) : quotaV1(folder),
  );
  const least = Math.min(...quotas.filter(quota => quota !== undefined));
  return least === Infinity ? undefined : least;
}

interface CgroupFolder {
  readonly version: 1 | 2;
  readonly folder: string;
}

/** Every folder that may bound us: for each hierarchy our own group and its ancestors up to the mount. */
function cgroupFolders(root: string): CgroupFolder[] {
  const mounts = lines(join(root, 'proc/self/mountinfo')).map(parseMount);
  return lines(join(root, 'proc/self/cgroup')).flatMap(line => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const version = controllers === '' ? 2 : 1;
    if (version === 1 && !controllers.split(',').includes('cpu')) return [];
    return mounts
      .filter(({ type, options }) =>
        version === 2 ? type === 'cgroup2' : type === 'cgroup' && options.includes('cpu'),
      )
      .flatMap(mount =>
        ancestors(within(mount, path)).map(
          folder => ({ version, folder: join(root, mount.point, folder) }) as const,
        ),
      );
  });
}

interface Mount {
  /** The folder of the hierarchy that is visible at `point`; `/` unless a container sees only its own part. */
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** `36 35 98:0 /root /point rw shared:1 - type source options`, see proc(5); the optional fields end with a dash. */
function parseMount(line: string): Mount {
  const [front = '', back = ''] = line.split(' - ');
  const [, , , root = '', point = ''] = front.split(' ');
  const [type = '', , options = ''] = back.split(' ');
  return { root, point, type, options: options.split(',') };
}

/** Our group as seen from a mount: a container often sees its own group as the top. */
function within({ root }: Mount, path: string): string {
  if (root === '/' || root === '') return path;
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : '/';
}

/** `/a/b` → `/a/b`, `/a`, `/`. A path outside of the visible part (`/../x`) is none of our ancestors. */
function ancestors(path: string): string[] {
  const clean = posix.normalize(`/${path}`);
  return clean === '/' ? ['/'] : [clean, ...ancestors(posix.dirname(clean))];
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

/** The lines of a file; none where it does not exist, as on systems without cgroups. */
function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter(line => line !== '');
  } catch {
    return [];
  }
}
