/**
 * Folders in which no other user can replace a file: a socket or a pid file in any other folder may be someone else's
 * (CWE-379). The rules are those of OpenSSH's StrictModes, which knows no sticky bit, and of sudo's secure paths.
 */
import { chmodSync, lstatSync, mkdirSync, realpathSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

/** What is wrong with a folder, as a sentence: `/srv/run belongs to user 1000`. */
export type FolderFault = string;

/** Which folder a path led to when it was looked at. */
export interface FolderId {
  readonly dev: number;
  readonly ino: number;
}

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_ALL = 0o002;
const STICKY = 0o1000;
const FOR_OTHERS = 0o077;

/** Windows has no user ids and no such modes: there every folder passes. */
const uid = (): number | undefined => process.getuid?.();

/**
 * Why another user could put a file in place of ours in this folder.
 * - `closed`: ours, mode 0700. Another user can rename it (in `/tmp` not even that), but not make another one like it.
 * - `read-only`: ours, and others cannot write to it, nor to any folder above it.
 */
export type Privacy = 'closed' | 'read-only';

/** @returns nothing for a private folder, and for one that does not exist (yet) */
export function faultOf(folder: string, privacy: Privacy): FolderFault | undefined {
  if (uid() === undefined) return undefined;
  const stats = look(folder);
  const fault = stats === undefined ? undefined : faultOfFolder(folder, stats, privacy);
  if (fault !== undefined || privacy === 'closed') return fault;
  return ancestorsOf(folder)
    .map(faultOfAncestor)
    .find(found => found !== undefined);
}

function faultOfFolder(folder: string, found: Stats, privacy: Privacy): FolderFault | undefined {
  if (found.isSymbolicLink()) return `${folder} is a symbolic link`;
  if (!found.isDirectory()) return `${folder} is not a folder`;
  if (found.uid !== uid()) return `${folder} belongs to user ${found.uid}`;
  if (privacy === 'closed' && (found.mode & FOR_OTHERS) !== 0) return `${folder} is open to other users`;
  return isWritableByOthers(found) ? `${folder} is writable by other users` : undefined;
}

/** A folder above may be root's, and may be everyone's if only owners can remove a file in it (`/tmp`). */
function faultOfAncestor(ancestor: string): FolderFault | undefined {
  const found = look(ancestor);
  if (found === undefined) return undefined;
  if (found.uid !== 0 && found.uid !== uid()) return `${ancestor} belongs to user ${found.uid}`;
  if (found.isSymbolicLink() || (found.mode & STICKY) !== 0) return undefined;
  return isWritableByOthers(found) ? `${ancestor} is writable by other users` : undefined;
}

/** A group with the number of its only member is no other user (user private groups: Debian, Fedora, Ubuntu). */
const isWritableByOthers = ({ mode, gid }: Stats): boolean =>
  (mode & WRITABLE_BY_ALL) !== 0 || ((mode & WRITABLE_BY_GROUP) !== 0 && gid !== uid() && gid !== 0);

/** All folders and links above a path, as it is written and as it really is. */
function ancestorsOf(path: string): readonly string[] {
  const written = above(path);
  return [...new Set([...written, ...written.flatMap(ancestor => above(`${real(ancestor)}/.`))])];
}

function above(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...above(parent)];
}

/** A folder that does not exist has no other name; one that is closed to us fails when it is used. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/**
 * Makes the folder and those above it where they are missing, for this user alone, under any umask. One that
 * exists keeps its mode.
 * @returns which folder it is
 * @throws Error naming the fault of a folder that is not private, or the system's error
 */
export function makePrivateFolder(folder: string, privacy: Privacy): FolderId {
  make(folder);
  const fault = faultOf(folder, privacy);
  if (fault !== undefined) throw new Error(fault);
  return lstatSync(folder);
}

/** Not `mkdir`'s own `recursive`: below `/proc`, where nothing can be made, Node 20 tries for ever. */
function make(folder: string): void {
  if (look(folder) !== undefined) return;
  const parent = dirname(folder);
  if (parent !== folder) make(parent);
  try {
    mkdirSync(folder, { mode: 0o700 });
    chmodSync(folder, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Whether this path still leads to that folder. A file system may give the number of a removed one again. */
export function isSameFolder(folder: string, { dev, ino }: FolderId): boolean {
  const found = look(folder);
  return found !== undefined && found.isDirectory() && found.dev === dev && found.ino === ino;
}
