/** Talks to the supervisor of a service over its control socket. */
import { existsSync, realpathSync } from 'node:fs';
import http from 'node:http';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { errors, ServiceError, type InvalidValue } from '../errors.js';
import { identify } from '../supervisor/app-file/load.js';
import {
  runDirectoryFault,
  runDirectoryOf,
  runningServices,
  type RunDirectory,
} from '../supervisor/control/run-directory.js';
import type { Status } from '../supervisor/report/status.js';
import { readForCommand } from './app-file.js';
import type { CommandLine } from './command-line.js';

/** How long a supervisor may take to tell how it is; one that is suspended never does. */
const LOOK_MS = 5_000;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Client {
  readonly socket: string;
  /** @throws ServiceError NO_SUPERVISOR if no process listens */
  get(path: string): Promise<Answer>;
  post(path: string, body?: object): Promise<Answer>;
}

/** A service that runs. */
export interface Reached {
  readonly client: Client;
  /** How it is; a supervisor of an older version tells less. */
  readonly status: Partial<Status>;
}

/**
 * The service that this command line means. The app file may be broken, or say another name by now: what runs is reached
 * all the same, and judges the file itself.
 * @throws ServiceError INVALID_CONFIGURATION where neither file nor folders tell which service is meant, OTHER_SERVICE
 *   where another one runs at its place
 */
export async function reach(line: CommandLine): Promise<Reached> {
  const place = runningPlace(line) ?? (await placeByFile(line));
  const client: Client = {
    socket: place.socket,
    get: path => send(place, 'GET', path, undefined),
    post: (path, body = {}) => send(place, 'POST', path, body),
  };
  const status = (await client.get('/status')).body as Partial<Status>;
  refuseOther(line, place, status);
  return { client, status };
}

/** RUN_DIR may lead to another service than the one that is named, and so may a name that is another one's folder. */
function refuseOther(
  { only, file, isFileNamed }: CommandLine,
  { socket, isNamed }: Place,
  { app, file: itsFile }: Partial<Status>,
): void {
  const isFileMeant = isFileNamed || !isNamed;
  const isOtherApp = only !== undefined && app !== undefined && app !== only;
  // Its path has come in the form for terminals.
  const isSameText = itsFile === printable(file);
  const isOtherFile =
    isFileMeant && itsFile !== undefined && !isSameText && realPath(itsFile) !== realPath(file);
  if (isOtherApp || isOtherFile)
    throw errors.otherService(
      { name: app, file: itsFile },
      { name: only, file: isFileMeant ? file : undefined },
      socket,
    );
}

/** A deploy may lead to the same file by different links; a file that is gone is known by its name. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** The name of the service that this command line means, if the app file can be read and has one. */
export async function serviceNameOf(line: CommandLine): Promise<string | undefined> {
  const { only, envName } = line;
  if (only !== undefined) return only;
  const read = await readForCommand(line).catch(() => undefined);
  return read && identify(read, { only, envName, shell: process.env }, []).name;
}

/** Where the supervisor is looked for, and whether RUN_DIR has said so. */
interface Place {
  readonly socket: string;
  readonly isNamed: boolean;
}

/**
 * The place of a service that has a socket, as far as it is known without the app file.
 * @throws ServiceError UNTRUSTED_FOLDER where another user could have put the socket there
 */
function runningPlace({ file, only }: CommandLine): Place | undefined {
  const runDir = process.env['RUN_DIR'] || undefined;
  if (runDir !== undefined) return existing(runDirectoryOf({ name: '', file, runDir }), true);
  if (only !== undefined) return existing(runDirectoryOf({ name: only, file, runDir }), false);
  const [running, ...others] = runningServices({ file }).values();
  return running === undefined || others.length > 0 ? undefined : { socket: running.socket, isNamed: false };
}

function existing(directory: RunDirectory, isNamed: boolean): Place | undefined {
  const fault = runDirectoryFault(directory);
  if (fault !== undefined) throw errors.untrustedFolder(fault);
  return existsSync(directory.socket) ? { socket: directory.socket, isNamed } : undefined;
}

/** The file tells the name of the service, and may set RUN_DIR. */
async function placeByFile(line: CommandLine): Promise<Place> {
  const { file, only, envName } = line;
  const problems: InvalidValue[] = [];
  const read = await readForCommand(line);
  const { name, env } = identify(read, { only, envName, shell: process.env }, problems);
  const runDir = env['RUN_DIR'] || undefined;
  const directory = runDirectoryOf({ name: name ?? '', file, runDir });
  const isNamed = runDir !== undefined;
  const place = existing(directory, isNamed);
  if (place !== undefined) return place;
  const others = isNamed || only !== undefined ? [] : [...runningServices({ file }).keys()];
  if (others.length > 0) {
    const expected = `one of the services of ${basename(file)} that run: ${others.join(', ')}`;
    throw errors.invalidConfiguration([{ name: '--only', expected, got: only }]);
  }
  if (problems.length > 0 && !isNamed) throw errors.invalidConfiguration(problems);
  return { socket: directory.socket, isNamed };
}

function send(place: Place, method: string, path: string, body: object | undefined): Promise<Answer> {
  const { socket: socketPath } = place;
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    // An action takes its time; a look does not.
    const timeout = method === 'GET' ? LOOK_MS : 0;
    const request = http.request({ socketPath, path, method, headers, timeout, agent: false }, response => {
      text(response)
        .then(answer => ({ status: response.statusCode ?? 0, body: parsed(answer, socketPath) }))
        .then(resolve, (error: NodeJS.ErrnoException) => reject(explained(error, place)));
    });
    request.on('timeout', () => request.destroy(errors.noAnswer(socketPath)));
    request.on('error', (error: NodeJS.ErrnoException) => reject(explained(error, place)));
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Every answer of a supervisor is a JSON object. */
function parsed(body: string, socket: string): unknown {
  try {
    const value: unknown = JSON.parse(body, (_key, found: unknown) =>
      typeof found === 'string' ? printable(found) : found,
    );
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // as for any other text
  }
  throw errors.notASupervisor(socket);
}

/** Names and reasons come from apps: what would move the cursor or change the title of a terminal is shown instead. */
const printable = (found: string): string =>
  found.replace(/\p{Cc}/gu, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

function explained(error: NodeJS.ErrnoException, { socket, isNamed }: Place): Error {
  if (error instanceof ServiceError) return error;
  if (error.code === 'ECONNRESET') return errors.supervisorGone(socket);
  if (error.code === 'EACCES') return errors.notYours(socket);
  // llhttp's codes: what came is no HTTP.
  if (error.code?.startsWith('HPE_') === true) return errors.notASupervisor(socket);
  return errors.noSupervisor(socket, isNamed);
}
