/** Who holds a port, for the one sentence that says so. Looked up only when listening has failed. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** `pid 4711 (node)`; nothing where the system does not tell: no `/proc`, or somebody else's process. */
export function portOwner(port: number): string | undefined {
  const sockets = new Set(['tcp', 'tcp6'].flatMap(family => listeningInodes(family, port)));
  if (sockets.size === 0) return undefined;
  const pid = list('/proc').find(entry => /^\d+$/.test(entry) && holdsOneOf(entry, sockets));
  return pid === undefined ? undefined : `pid ${pid} (${nameOf(pid)})`;
}

/** Lines of /proc/net/tcp: `sl local_address rem_address st … inode`; state 0A is LISTEN (proc(5)). */
function listeningInodes(family: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return read(`/proc/net/${family}`)
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[1]?.endsWith(suffix) === true && fields[3] === '0A')
    .flatMap(fields => (fields[9] === undefined ? [] : [`socket:[${fields[9]}]`]));
}

function holdsOneOf(pid: string, sockets: ReadonlySet<string>): boolean {
  return list(`/proc/${pid}/fd`).some(fd =>
    sockets.has(quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '')),
  );
}

/** The program's own name: a title, which a process gives itself, may say anything. */
const nameOf = (pid: string): string =>
  quietly(() => basename(readlinkSync(`/proc/${pid}/exe`)), read(`/proc/${pid}/comm`).trim());

const read = (path: string): string => quietly(() => readFileSync(path, 'utf8'), '');
const list = (path: string): string[] => quietly(() => readdirSync(path), []);

/** Processes end between two looks, and others' are closed to us: both mean "not known". */
function quietly<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
