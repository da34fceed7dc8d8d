/** What listens on a port, and who holds it: from Linux' `/proc`; elsewhere nothing is found. */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
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

/** The state of a socket that listens (proc(5)). */
const LISTEN = '0A';

/** As much of the list is read at a time. */
const CHUNK_BYTES = 16 * 1024;

/** Rows of /proc/net/tcp: `sl local_address rem_address st … inode` (proc(5)). */
function listenersOfFamily(family: string, port: number): ListeningSocket[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return quietly(() => listeningRows(`/proc/net/${family}`), [])
    .filter(([, local]) => local?.endsWith(suffix) === true)
    .flatMap(([, local = '', , , , , , , , inode]) =>
      inode === undefined ? [] : [{ inode, address: local.slice(0, -suffix.length) }],
    );
}

/**
 * The fields of each row up to the first socket that does not listen: the kernel lists those that listen first
 * (`tcp_seq_start` in net/ipv4/tcp_ipv4.c). The thousands of connections behind them, which take a busy machine tens of
 * milliseconds, are not read.
 */
function listeningRows(path: string): string[][] {
  const rows: string[][] = [];
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const fd = openSync(path, 'r');
  try {
    for (let rest = ''; ;) {
      const length = readSync(fd, buffer);
      if (length === 0) return rows;
      const lines = (rest + buffer.toString('latin1', 0, length)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const fields = line.trim().split(/\s+/);
        if (fields[0] === 'sl') continue; // the heading
        if (fields[3] !== LISTEN) return rows;
        rows.push(fields);
      }
    }
  } finally {
    closeSync(fd);
  }
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
