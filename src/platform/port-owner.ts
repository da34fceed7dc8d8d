/** What listens on a port, and who holds it: from Linux' `/proc`; elsewhere nothing is found. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

export interface ListeningSocket {
  /** The number of the socket, in decimal. */
  readonly inode: string;
  /** As the system prints it: 8 hexadecimal digits for IPv4, 32 for IPv6. */
  readonly address: string;
}

/** `pid 4711 (node)`; `undefined` without `/proc` and for another user's process. */
export const portOwner = (port: number): string | undefined => holderOf(listenersOn(port));

/** A process that holds one of these sockets, as {@link portOwner} names it. */
export function holderOf(sockets: readonly ListeningSocket[]): string | undefined {
  if (sockets.length === 0) return undefined;
  const inodes = new Set(sockets.map(({ inode }) => inode));
  const pid = list('/proc').find(
    entry => /^\d+$/.test(entry) && socketsOf(entry).some(inode => inodes.has(inode)),
  );
  return pid === undefined ? undefined : `pid ${pid} (${nameOf(pid)})`;
}

/** What listens on a port at any address of either family, whichever process or user it belongs to. */
export const listenersOn = (port: number): ListeningSocket[] =>
  ['tcp', 'tcp6'].flatMap(family => listenersOfFamily(family, port));

/** Lines of /proc/net/tcp: `sl local_address rem_address st … inode`; state 0A is LISTEN (proc(5)). */
function listenersOfFamily(family: string, port: number): ListeningSocket[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return read(`/proc/net/${family}`)
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[1]?.endsWith(suffix) === true && fields[3] === '0A')
    .flatMap(([, local = '', , , , , , , , inode]) =>
      inode === undefined ? [] : [{ inode, address: local.slice(0, -suffix.length) }],
    );
}

/** The inodes of the sockets that this process holds. */
export const socketsOfThisProcess = (): ReadonlySet<string> => new Set(socketsOf('self'));

const socketsOf = (pid: string): string[] =>
  list(`/proc/${pid}/fd`).flatMap(fd => {
    const target = quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '');
    return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [];
  });

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
