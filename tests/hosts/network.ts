/** Hosts as network namespaces of this process' own, each joined to it by a pair of virtual interfaces. Linux, root. */
import { execFileSync } from 'node:child_process';

export interface Host {
  readonly name: string;
  /** Its address, as seen from here. */
  readonly address: string;
  /** A command in front of another one runs that one on this host. */
  readonly launcher: readonly string[];
  /** Packets are lost in both directions until `join`. */
  cutOff(): void;
  join(): void;
  /** The processes of this host. */
  pids(): number[];
  remove(): void;
}

const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8' });

/**
 * @param number from 1; names and addresses follow from it
 * @throws Error with the output of `ip` if this user may not make namespaces
 */
export function makeHost(number: number): Host {
  const name = `cabe-host-${process.pid}-${number}`;
  const [outside, inside] = [`cabe${number}a`, `cabe${number}b`];
  const subnet = `10.213.${number}`;
  ip('netns', 'add', name);
  ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name);
  ip('address', 'add', `${subnet}.1/30`, 'dev', outside);
  ip('link', 'set', outside, 'up');
  ip('-n', name, 'address', 'add', `${subnet}.2/30`, 'dev', inside);
  for (const device of [inside, 'lo']) ip('-n', name, 'link', 'set', device, 'up');
  return {
    name: `host ${number}`,
    address: `${subnet}.2`,
    launcher: ['ip', 'netns', 'exec', name],
    // Only the far end: the near one would lose its route, and connections would fail at once.
    cutOff: () => void ip('-n', name, 'link', 'set', inside, 'down'),
    join: () => void ip('-n', name, 'link', 'set', inside, 'up'),
    pids: () => ip('netns', 'pids', name).split('\n').filter(Boolean).map(Number),
    remove() {
      for (const pid of this.pids()) process.kill(pid, 'SIGKILL');
      ip('netns', 'delete', name);
    },
  };
}
