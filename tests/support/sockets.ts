/** Listening sockets as the system sees them, from outside of the processes that hold them (Linux). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ListeningSocket {
  readonly inode: string;
  readonly port: number;
  /** As in /proc/net/tcp: the address in hexadecimal, 8 digits for IPv4 and 32 for IPv6. */
  readonly address: string;
  /** How many connections wait to be accepted. */
  readonly waiting: number;
}

/** Every listening TCP socket of the machine. */
export function listeningSockets(): ListeningSocket[] {
  return ['tcp', 'tcp6'].flatMap(family => {
    const lines = contentOf(`/proc/net/${family}`).split('\n').slice(1);
    return lines.flatMap(line => {
      // sl local_address rem_address st tx_queue:rx_queue … inode; state 0A is LISTEN (proc(5)).
      const [, local = '', , state, queues = '', , , , , inode = ''] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      const [, waiting = ''] = queues.split(':');
      return state === '0A'
        ? [{ inode, port: Number.parseInt(port, 16), address, waiting: Number.parseInt(waiting, 16) }]
        : [];
    });
  });
}

/** The listening TCP sockets of one port. */
export const listenersOf = (port: number): ListeningSocket[] =>
  listeningSockets().filter(socket => socket.port === port);

/** The inodes of the sockets that a process holds. */
export function socketsOf(pid: number): Set<string> {
  const inodes = descriptorsOf(pid).map(target => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '');
  return new Set(inodes.filter(inode => inode !== ''));
}

/** What the open descriptors of a process lead to. */
export function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return []; // closed between two looks
      }
    });
  } catch {
    return [];
  }
}

export const hasIPv6 = (): boolean => contentOf('/proc/net/if_inet6') !== '';

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
