/** `uid` and `gid`: the user that workers run as. A service that is meant to give up root never runs as root instead. */
import type { InvalidValue } from '../../errors.js';
import { findGroup, findUser, mayChangeUser, type User } from '../../platform/users.js';

export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** A user or a group: name or number. */
export type Account = string | number;

export interface Accounts {
  readonly uid: Account | undefined;
  readonly gid: Account | undefined;
}

export interface ResolvedUser {
  /** `undefined` if workers run as the user of the supervisor. */
  readonly runAs: RunAs | undefined;
  /** Variables that tell a program who it is. */
  readonly variables: Readonly<Record<string, string>>;
}

const UNCHANGED: ResolvedUser = { runAs: undefined, variables: {} };

/** Adds a problem, and changes no user, where these accounts cannot be had. */
export function resolveUser({ uid, gid }: Accounts, problems: InvalidValue[]): ResolvedUser {
  if (uid === undefined && gid === undefined) return UNCHANGED;
  const refused = (name: string, expected: string, got: unknown): ResolvedUser => {
    problems.push({ name, expected, got });
    return UNCHANGED;
  };
  if (process.geteuid === undefined)
    return refused('uid', 'not set on this system: it has no users by number', uid);
  if (uid === undefined) return refused('gid', 'given together with uid', gid);

  const user = findUser(String(uid)) ?? unlisted(uid);
  if (user === undefined) return refused('uid', 'the name of a user in /etc/passwd, or a number', uid);
  const group = gid === undefined ? user.gid : (findGroup(String(gid)) ?? numberIn(gid));
  if (group === undefined && gid === undefined)
    return refused('gid', 'given where /etc/passwd does not list the uid', gid);
  if (group === undefined) return refused('gid', 'the name of a group in /etc/group, or a number', gid);

  if (user.uid === process.geteuid() && group === process.getegid?.()) return UNCHANGED;
  if (!mayChangeUser()) {
    const own = `the user that runs this supervisor (${process.geteuid()}, group ${process.getegid?.()})`;
    return refused('uid', `${own}, or the supervisor must run as root, which may change users`, uid);
  }
  const { name, home } = user;
  return { runAs: { uid: user.uid, gid: group }, variables: { HOME: home, USER: name, LOGNAME: name } };
}

/** Images often have no entry for the user that a container runs as. */
function unlisted(uid: Account): (Omit<User, 'gid'> & { readonly gid: undefined }) | undefined {
  const number = numberIn(uid);
  return number === undefined ? undefined : { name: String(number), uid: number, gid: undefined, home: '/' };
}

const numberIn = (account: Account): number | undefined =>
  /^\d+$/.test(String(account)) ? Number(account) : undefined;
