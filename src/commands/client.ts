/** Talks to the supervisor of a service over its control socket. */
import { existsSync } from 'node:fs';
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
import type { CommandLine } from './command-line.js';

/** How long a supervisor may take to tell how it is; one that is suspended never does. */
const LOOK_MS = 5_000;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Client {
  readonly socket: string;
  /** @throws ServiceError NO_SUPERVISOR if nobody listens */
  get(path: string): Promise<Answer>;
  post(path: string, body?: object): Promise<Answer>;
}

/**
 * The client of the service that this command line means. The app file may be broken, or say another name by now: what
 * runs is reached all the same, and judges the file itself.
 * @throws ServiceError INVALID_CONFIGURATION where neither file nor folders tell which service is meant
 */
export function clientOf(line: CommandLine): Client {
  const place = placeOf(line);
  return {
    socket: place.socket,
    get: path => send(place, 'GET', path, undefined),
    post: (path, body = {}) => send(place, 'POST', path, body),
  };
}

/** Where the supervisor is looked for, and whether RUN_DIR has said so. */
interface Place {
  readonly socket: string;
  readonly isNamed: boolean;
}

function placeOf({ file, only, envName }: CommandLine): Place {
  const problems: InvalidValue[] = [];
  const { name, env } = identify({ file, only, envName, shell: process.env }, problems);
  const runDir = env['RUN_DIR'] === '' ? undefined : env['RUN_DIR'];
  const directory = runDirectoryOf({ name: name ?? '', file, envName, runDir });
  const { socket } = directory;
  const place = { socket, isNamed: runDir !== undefined };
  const fault = runDirectoryFault(directory);
  if (fault !== undefined) throw errors.untrustedFolder(fault);
  if (place.isNamed || existsSync(socket)) return place;
  const others = only === undefined ? runningServices({ file, envName }) : new Map<string, RunDirectory>();
  const [other, ...more] = others.values();
  if (more.length > 0) {
    const expected = `one of the services of ${basename(file)} that run: ${[...others.keys()].join(', ')}`;
    throw errors.invalidConfiguration([{ name: '--only', expected, got: only }]);
  }
  if (other !== undefined) return { ...place, socket: other.socket };
  if (problems.length > 0) throw errors.invalidConfiguration(problems);
  return place;
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
