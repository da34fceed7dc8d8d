/** Where supervisor and commands meet: a folder that both find by the same app file. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync, type Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { InvalidValue } from '../../errors.js';

export interface RunDirectory {
  readonly directory: string;
  readonly socket: string;
  /** Nobody has asked for it: it goes when the service has ended. */
  readonly isTemporary: boolean;
}

export interface RunDirectoryRequest {
  readonly name: string;
  /** Absolute path of the app file. */
  readonly file: string;
  readonly envName: string | undefined;
  /** RUN_DIR, where it is set. */
  readonly runDir: string | undefined;
}

/** Longest path of a Unix socket that every system takes; Node 20 cuts longer ones silently. */
const MAX_SOCKET_PATH = 100;

/** The user may have no name (`docker run --user 12345`), but always has a number; Windows tells none. */
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
  request: Pick<RunDirectoryRequest, 'file' | 'envName'>,
): ReadonlyMap<string, RunDirectory> {
  const ending = suffix(request);
  const found = entriesOf(tmpdir())
    .filter(entry => entry.endsWith(ending))
    .map(entry => [entry.slice(0, -ending.length), temporary(entry)] as const)
    .filter(([, { directory, socket }]) => faultOf(directory) === undefined && existsSync(socket));
  return new Map(found);
}

/** Nothing for a folder that cannot be read: nobody can be met there. */
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

/** What all folders of this user and this file have in common. */
function suffix({ file, envName = '' }: Pick<RunDirectoryRequest, 'file' | 'envName'>): string {
  const identity = createHash('sha256').update(`${file}${envName}`).digest('hex').slice(0, 8);
  return `-${uid()}-${identity}`;
}

/** What keeps a supervisor from meeting anybody there, as far as it can be told before it is tried. */
export function runDirectoryProblems(
  { directory, socket }: RunDirectory,
  { runDir }: Pick<RunDirectoryRequest, 'runDir'>,
): readonly InvalidValue[] {
  const bytes = Buffer.byteLength(socket);
  if (bytes > MAX_SOCKET_PATH) {
    const expected = `a folder with a shorter path: that of ${socket} has ${bytes} bytes, a socket's may have ${MAX_SOCKET_PATH}`;
    return [{ name: 'RUN_DIR', expected, got: runDir }];
  }
  // Nobody has asked for the folder of this user's own making: without it the service runs all the same.
  const fault = runDir === undefined ? undefined : faultOf(directory);
  if (fault === undefined) return [];
  return [{ name: 'RUN_DIR', expected: `a folder that is yours alone (${directory} ${fault})`, got: runDir }];
}

/**
 * Makes the folder if it is not there, for this user alone whatever the umask says; one that was there keeps its mode.
 * @throws Error saying why it cannot be used
 */
export function makeDirectory(directory: string): void {
  const isNew = mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined;
  if (isNew) chmodSync(directory, 0o700);
  const fault = faultOf(directory);
  if (fault !== undefined) throw new Error(`${directory} ${fault}`);
}

/** Why nobody should meet in this folder; nothing where it does not exist. */
function faultOf(directory: string): string | undefined {
  const found = look(directory);
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) return 'is a symbolic link';
  if (!found.isDirectory()) return 'is not a folder';
  if (process.getuid !== undefined && found.uid !== uid()) return 'belongs to somebody else';
  return (found.mode & 0o002) === 0 ? undefined : 'can be written to by everybody';
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // behind a folder that is closed to us: making it will fail, and say so
  }
}

/** Removes a folder of our own making; whoever has put something there meanwhile, or begins to, keeps it. */
export function removeIfEmpty({ directory, isTemporary }: RunDirectory): void {
  if (!isTemporary) return;
  try {
    rmdirSync(directory);
  } catch {
    // not empty, or gone already
  }
}
