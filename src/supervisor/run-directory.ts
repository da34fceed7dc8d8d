/** Where supervisor and commands meet: a folder that both find by the same app file. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, chmodSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { errors } from '../errors.js';

export interface RunDirectory {
  readonly directory: string;
  readonly socket: string;
}

/** Longest path of a Unix socket that every system takes; Node 20 cuts longer ones silently. */
const MAX_SOCKET_PATH = 100;

/**
 * @param runDir RUN_DIR, where it is set
 * @throws ServiceError INVALID_CONFIGURATION if the socket's path would be too long
 */
export function runDirectoryOf(request: {
  readonly name: string;
  readonly file: string;
  readonly envName: string | undefined;
  readonly runDir: string | undefined;
}): RunDirectory {
  const { name, file, envName = '', runDir } = request;
  const identity = createHash('sha256').update(`${file}${envName}`).digest('hex').slice(0, 8);
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '-');
  const directory = runDir ?? join(tmpdir(), `${plain}-${userInfo().uid}-${identity}`);
  const socket = join(directory, 'supervisor.sock');
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH) {
    const expected = `a folder with a shorter path: that of ${socket} has ${Buffer.byteLength(socket)} bytes, a socket's may have ${MAX_SOCKET_PATH}`;
    throw errors.invalidConfiguration([{ name: 'RUN_DIR', expected, got: runDir }]);
  }
  return { directory, socket };
}

/**
 * Makes the folder if it is not there, for this user alone whatever the umask says.
 * @throws Error saying why it cannot be used
 */
export function makeDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  if (!found.isDirectory()) throw new Error(`${directory} is not a folder`);
  if (found.uid !== userInfo().uid) throw new Error(`${directory} belongs to somebody else`);
  chmodSync(directory, 0o700);
}
