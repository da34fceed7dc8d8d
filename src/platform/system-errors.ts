/**
 * What the system's refusals mean for a service, with the cure: listening (bind(2), listen(2), getaddrinfo(3)), forking, and
 * making files.
 */
import { errors } from '../errors.js';

export interface ListenTarget {
  readonly port: number;
  readonly host: string | undefined;
}

/** What HOST must be, by the code with which the system refuses its value. */
const HOSTS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'an address of this machine, or not set for all of them',
  EAFNOSUPPORT: 'an address of a family that this system has (IPv6 may be switched off), or not set',
  EINVAL: 'an address with its interface, such as fe80::1%eth0, or one that needs none',
  ENOTFOUND: 'a name that can be looked up, or an address of this machine',
  EAI_NODATA: 'a name that has an address',
  EAI_NONAME: 'a name that can be looked up, or an address of this machine',
};

/** What PORT must be, likewise. */
const PORTS: Readonly<Record<string, string>> = {
  EACCES: 'a port that this user may open, such as one from 1024 on',
  EPERM: "a port that this system's security policy lets the service open",
};

/** A resolver that does not answer may do so later. */
const LOOKUPS = ['EAI_AGAIN', 'EAI_FAIL', 'EAI_SYSTEM', 'ESERVFAIL', 'ETIMEOUT'];

/** What the whole machine, or this process, may have too little of. */
const RESOURCES: Readonly<Record<string, string>> = {
  EMFILE: 'too many open files in this process (EMFILE); raise its limit (ulimit -n, LimitNOFILE=)',
  ENFILE: 'too many open files on this machine (ENFILE); raise fs.file-max',
  ENOBUFS: 'the system has no memory for sockets (ENOBUFS)',
  ENOMEM: 'the system has no memory for it (ENOMEM)',
  EAI_MEMORY: 'the system has no memory for a lookup (EAI_MEMORY)',
};

/** What there is too little of, with the cure; nothing for any other error. */
export const shortageText = ({ code = '' }: NodeJS.ErrnoException): string | undefined => RESOURCES[code];

/**
 * Why a service cannot listen. No restart helps against a wrong address, name or port.
 * @param ownerOf the owner of a port; called only where it is taken
 * @returns the error itself where its code is not known
 */
export function unableToListen(
  error: NodeJS.ErrnoException,
  { port, host }: ListenTarget,
  ownerOf: (port: number) => string | undefined,
): Error {
  const { code = '' } = error;
  if (code === 'EADDRINUSE') return errors.portTaken({ port, host }, ownerOf(port));
  if (LOOKUPS.includes(code)) return errors.notLookedUp(host);
  const expectedHost = HOSTS[code];
  if (expectedHost !== undefined)
    return errors.invalidConfiguration([{ name: 'HOST', expected: expectedHost, got: host }]);
  const expectedPort = PORTS[code];
  if (expectedPort !== undefined)
    return errors.invalidConfiguration([{ name: 'PORT', expected: expectedPort, got: port }]);
  const shortage = RESOURCES[code];
  return shortage === undefined ? error : errors.outOfResources(`Unable to listen on port ${port}`, shortage);
}

/** What a process was to be started with. */
export interface ForkTarget {
  /** The working directory that it was to have. */
  readonly cwd: string;
  /** The number of the user that it was to run as, where that is another one. */
  readonly uid?: number | undefined;
  readonly node?: string;
}

/** Why the system starts no process (fork(2), execve(2), chdir(2), setuid(2)), by its code. */
const FORKS: Readonly<Record<string, (target: Required<ForkTarget>) => string>> = {
  ENOENT: ({ node, cwd }) =>
    `${node} or ${cwd} does not exist any more (ENOENT); put it back, or restart the service`,
  ENOTDIR: ({ cwd }) => `${cwd} is not a folder (ENOTDIR)`,
  EACCES: ({ node, cwd, uid }) =>
    `${uid === undefined ? 'this user' : `user ${uid}`} may not run ${node} or enter ${cwd} (EACCES)`,
  EPERM: ({ node, uid }) =>
    uid === undefined
      ? `the system does not let this user run ${node} (EPERM)`
      : `the system does not let this user start processes of user ${uid} (EPERM)`,
  EINVAL: ({ uid }) => `there is no user ${uid ?? ''} in this container (EINVAL)`,
  ENOEXEC: ({ node }) => `${node} is no program for this machine (ENOEXEC)`,
  EAGAIN: () => 'the limit of processes is reached (EAGAIN); raise it (ulimit -u, TasksMax=, pids.max)',
  ENOMEM: () => 'the system has no memory for another process (ENOMEM)',
  E2BIG: () =>
    'environment and arguments are too large (E2BIG); filter_env keeps variables away from workers',
  EMFILE: () => RESOURCES['EMFILE'] ?? '',
  ENFILE: () => RESOURCES['ENFILE'] ?? '',
};

/** Why no process was started, with the cure where the cause is known. */
export function forkFailureText(
  error: NodeJS.ErrnoException,
  { cwd, uid, node = process.execPath }: ForkTarget,
): string {
  const { code = '', message } = error;
  // Without another user it has other causes.
  if (code === 'EINVAL' && uid === undefined) return message;
  return FORKS[code]?.({ cwd, uid, node }) ?? message;
}

/** Why a file or folder cannot be made or written (mkdir(2), open(2), write(2), bind(2)), by its code. */
const FILES: Readonly<Record<string, string>> = {
  EROFS: 'its file system is read-only',
  EACCES: 'this user may not write there',
  EPERM: 'the system does not let this user write there',
  ENOSPC: 'no space or no inode is left on its file system',
  EDQUOT: 'the disk quota of this user is used up',
  ENAMETOOLONG: 'the path is too long',
  ENOTDIR: 'a part of the path is not a folder',
  ENOENT: 'a part of the path does not exist',
  ELOOP: 'its links lead nowhere',
  EIO: 'its disk does not work',
};

/**
 * Why a file or folder cannot be made or written, with the cure.
 * @param cure what helps where the place is at fault: the end of the sentence, if it has one
 * @returns the error's own message where its code is not known
 */
export function fileFailureText(
  error: NodeJS.ErrnoException & { readonly address?: string },
  cure?: string,
): string {
  const { code = '', path = error.address, message } = error;
  const shortage = RESOURCES[code];
  if (shortage !== undefined) return `unable to write ${path}: ${shortage}`;
  const cause = FILES[code];
  return cause === undefined || path === undefined
    ? message
    : `unable to write ${path}: ${cause} (${code})${cure === undefined ? '' : `; ${cure}`}`;
}

/** The cure for files that belong into the folder for temporary files. */
export const temporaryFolderCure = (folder: string): string =>
  `set TMPDIR to a folder that this user may write to, or mount one (docker run --tmpfs ${folder})`;
