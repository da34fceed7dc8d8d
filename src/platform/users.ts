/** Users and groups of this machine, where PM2 looks for them: in /etc/passwd and /etc/group (passwd(5), group(5)). */
import { readFileSync } from 'node:fs';

export interface User {
  readonly name: string;
  readonly uid: number;
  /** Of the group that the user belongs to first of all. */
  readonly gid: number;
  readonly home: string;
}

/** @param wanted a name or a number */
export function findUser(wanted: string): User | undefined {
  const found = entryOf('/etc/passwd', wanted);
  if (found === undefined) return undefined;
  const [name = '', , uid, gid, , home = ''] = found;
  return { name, uid: Number(uid), gid: Number(gid), home };
}

/** @param wanted a name or a number */
export function findGroup(wanted: string): number | undefined {
  const found = entryOf('/etc/group', wanted);
  return found === undefined ? undefined : Number(found[2]);
}

/** A name comes before a number: a user may be called `1000`. */
function entryOf(file: string, wanted: string): readonly string[] | undefined {
  const entries = linesOf(file).map(line => line.split(':'));
  return entries.find(([name]) => name === wanted) ?? entries.find(([, , number]) => number === wanted);
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'));
  } catch {
    return []; // an image without users
  }
}

/** CAP_SETGID and CAP_SETUID of capabilities(7). */
const CHANGE_USER = 0b1100_0000n;

/** Whether this process may start others as another user. Linux tells by capabilities, which root may lack in a container. */
export function mayChangeUser(): boolean {
  const isRoot = process.geteuid?.() === 0;
  try {
    const [, capabilities] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return capabilities === undefined ? isRoot : (BigInt(`0x${capabilities}`) & CHANGE_USER) === CHANGE_USER;
  } catch {
    return isRoot;
  }
}
