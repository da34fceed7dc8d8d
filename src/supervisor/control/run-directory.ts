/** Where supervisor and commands meet: a folder that both find by the same app file. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { InvalidValue } from '../../errors.js';
import {
  faultOf,
  makePrivateFolder,
  type FolderFault,
  type FolderId,
  type Privacy,
} from '../../platform/private-folder.js';
import { fileFailureText } from '../../platform/system-errors.js';
import { MAX_SOCKET_PATH } from '../../protocol/limits.js';

export interface RunDirectory {
  readonly directory: string;
  readonly socket: string;
  /** RUN_DIR does not name it: it is removed when the service has ended. */
  readonly isTemporary: boolean;
}

export interface RunDirectoryRequest {
  readonly name: string;
  /** Absolute path of the app file. */
  readonly file: string;
  /** RUN_DIR, where it is set. */
  readonly runDir: string | undefined;
}

/** The user may have no name (`docker run --user 12345`), but always has a number, except on Windows. */
const uid = (): number => process.getuid?.() ?? -1;

/** Where the supervisor of this service is to be found. */
export function runDirectoryOf(request: RunDirectoryRequest): RunDirectory {
  const plain = request.name.replace(/[^A-Za-z0-9._-]/g, '-');
  return request.runDir === undefined
    ? temporary(`${plain}${suffix(request)}`)
    : within(resolve(request.runDir), false);
}

/**
 * The services of this user and this file that have a socket, by the names they were started with: the file may say
 * another one by now, or nothing at all.
 */
export function runningServices(
  request: Pick<RunDirectoryRequest, 'file'>,
): ReadonlyMap<string, RunDirectory> {
  const ending = suffix(request);
  const found = entriesOf(tmpdir())
    .filter(entry => entry.endsWith(ending))
    .map(entry => [entry.slice(0, -ending.length), temporary(entry)] as const)
    .filter(([, place]) => runDirectoryFault(place) === undefined && existsSync(place.socket));
  return new Map(found);
}

/** Nothing for a folder that cannot be read: no service can be reached there. */
function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const within = (directory: string, isTemporary: boolean): RunDirectory => ({
  directory,
  socket: join(directory, 'supervisor.sock'),
  isTemporary,
});

const temporary = (name: string): RunDirectory => within(join(tmpdir(), name), true);

/** What all folders of this user and this file have in common. A service may be reloaded in another environment. */
function suffix({ file }: Pick<RunDirectoryRequest, 'file'>): string {
  const identity = createHash('sha256').update(file).digest('hex').slice(0, 8);
  return `-${uid()}-${identity}`;
}

/** What keeps a supervisor from using this folder, as far as it is known before it is tried. */
export function runDirectoryProblems(
  place: RunDirectory,
  { runDir }: Pick<RunDirectoryRequest, 'runDir'>,
): readonly InvalidValue[] {
  const { socket } = place;
  const bytes = Buffer.byteLength(socket);
  if (bytes > MAX_SOCKET_PATH) {
    const expected = `a folder with a shorter path: that of ${socket} has ${bytes} bytes, a socket's may have ${MAX_SOCKET_PATH}`;
    return [{ name: 'RUN_DIR', expected, got: runDir }];
  }
  // The default folder is not worth a refusal: without it the service runs, and the log says that commands do not.
  const fault = runDir === undefined ? undefined : runDirectoryFault(place);
  return fault === undefined
    ? []
    : [{ name: 'RUN_DIR', expected: `a folder that only you can write to (${fault})`, got: runDir }];
}

/** Only its own user opens the default folder, whose name anyone can guess; RUN_DIR may be open to readers. */
const privacyOf = ({ isTemporary }: RunDirectory): Privacy => (isTemporary ? 'closed' : 'read-only');

/** Why another user could have put a socket there. */
export const runDirectoryFault = (place: RunDirectory): FolderFault | undefined =>
  faultOf(place.directory, privacyOf(place));

/** @throws Error saying why the folder cannot be used */
export const makeRunDirectory = (place: RunDirectory): FolderId =>
  makePrivateFolder(place.directory, privacyOf(place));

/** Why the folder, or a file in it, cannot be made or written, with the cure. */
export function runDirectoryFailure(error: Error, { isTemporary }: RunDirectory): string {
  const mount = `or mount one (docker run --tmpfs ${tmpdir()})`;
  return fileFailureText(
    error,
    `set RUN_DIR to ${isTemporary ? 'a' : 'another'} folder that this user may write to, at the start and for commands${isTemporary ? `, ${mount}` : ''}`,
  );
}

/** Removes a folder of our own making; one that holds other files by now, or gets some meanwhile, stays. */
export function removeIfEmpty({ directory, isTemporary }: RunDirectory): void {
  if (!isTemporary) return;
  try {
    rmdirSync(directory);
  } catch {
    // not empty, or gone already
  }
}
