/**
 * Keeps two services from sharing a port. With SO_REUSEPORT the kernel divides the connections of a port among all
 * sockets of a user that have it, whichever process holds them (socket(7)); and a socket for one address takes those of
 * a socket for all.
 *
 * An exclusive bind fails if any process listens on an overlapping address; the kernel knows which do. It succeeds while
 * the other one has bound its socket and its workers are still starting. So it is tried again just before our first
 * worker listens, and what listens is compared once that worker does. This needs no name and no file, which others could
 * take first.
 */
import {
  holderOf,
  listenersOn,
  socketsOfThisProcess,
  type ListeningSocket,
} from '../../platform/port-owner.js';
import type { Address } from '../../protocol/address.js';
import { bindTcp } from './tcp-handles.js';

/** How often two services that listen at the same moment look at each other, until one of them has given way. */
const LOOK_MS = 100;
const MAX_LOOKS = 20;

/** What keeps us from a port: `pid 4711 (node)`, or nothing where that is not known. */
export interface Rival {
  readonly holder: string | undefined;
}

export interface PortGuard {
  /** Before a worker listens. @throws Error EADDRINUSE */
  check(): void;
  /** A worker listens: calls back with the rival that has the port, or without one; at once if no other service listens. */
  settle(done: (rival?: Rival) => void): void;
}

export function createPortGuard(address: Address): PortGuard {
  let neighbours: ReadonlySet<string> | undefined;
  let isOurs = false;

  function check(): void {
    // Once our own sockets listen, every exclusive bind fails.
    if (neighbours !== undefined) return;
    bindTcp(address, 'exclusive').close();
    neighbours = new Set(listenersOn(address.port).map(({ inode }) => inode));
  }

  function settle(done: (rival?: Rival) => void, looks = 0): void {
    if (isOurs) return done();
    const { ours, theirs } = rivals(address.port, neighbours);
    if (theirs.length === 0) {
      isOurs = true;
      return done();
    }
    if (looks === MAX_LOOKS || oldest(theirs) < oldest(ours)) return done({ holder: holderOf(theirs) });
    setTimeout(() => settle(done, looks + 1), LOOK_MS);
  }

  return { check, settle: done => settle(done) };
}

/** @param neighbours what listened beside us when an exclusive bind still succeeded: the kernel tells it from us */
function rivals(
  port: number,
  neighbours: ReadonlySet<string> = new Set(),
): Record<'ours' | 'theirs', ListeningSocket[]> {
  const own = socketsOfThisProcess();
  const all = listenersOn(port);
  const ours = all.filter(({ inode }) => own.has(inode));
  const theirs = all.filter(
    ({ inode, address }) =>
      !own.has(inode) && !neighbours.has(inode) && ours.some(our => overlap(our.address, address)),
  );
  return { ours, theirs };
}

/** The system numbers sockets: both services see the same order. */
const oldest = (sockets: readonly ListeningSocket[]): number =>
  Math.min(...sockets.map(({ inode }) => Number(inode)));

/** Every IPv4 address is one of IPv6 as well, `::ffff:127.0.0.1`; the system prints words in the machine's order. */
const MAPPED = /^0{16}(?:FFFF0000|0000FFFF)/;

/**
 * Whether a connection can be meant for either of these addresses.
 * @param one as in `/proc/net/tcp`: 8 hexadecimal digits of IPv4, or 32 of IPv6, which stand for both families where
 *   they are all 0
 */
export function overlap(one: string, other: string): boolean {
  const [first, second] = [one.replace(MAPPED, ''), other.replace(MAPPED, '')];
  return first === second || covers(first, second) || covers(second, first);
}

const covers = (all: string, one: string): boolean =>
  /^0+$/.test(all) && (all.length === 32 || one.length === all.length);
