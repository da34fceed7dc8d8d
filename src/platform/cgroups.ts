/** The control groups of this process; versions 1 and 2 may be mounted together. */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

export interface CgroupFolder {
  readonly version: 1 | 2;
  readonly folder: string;
}

/**
 * Every folder that may limit this process: for each hierarchy its own group and the ancestors up to the mount, in this
 * order.
 * @param root where the file system begins; tests bring their own
 */
export function cgroupFolders(controller: 'cpu' | 'memory', root = '/'): CgroupFolder[] {
  const mounts = lines(join(root, 'proc/self/mountinfo')).map(parseMount);
  return lines(join(root, 'proc/self/cgroup')).flatMap(line => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const version = controllers === '' ? 2 : 1;
    if (version === 1 && !controllers.split(',').includes(controller)) return [];
    return mounts
      .filter(({ type, options }) =>
        version === 2 ? type === 'cgroup2' : type === 'cgroup' && options.includes(controller),
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

/** The lines of a file; none where it does not exist, as on systems without cgroups. */
export function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter(line => line !== '');
  } catch {
    return [];
  }
}
