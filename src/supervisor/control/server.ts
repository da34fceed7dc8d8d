/**
 * The control socket: HTTP/1.1 over a Unix socket that only this user can open. `GET /status`, `GET /events`,
 * `POST /reload` with `{"env": NAME}` for another environment of the app file, `POST /scale {"instances": N}`,
 * `POST /upgrade`, `POST /stop`; an action is answered when it is done. Controlling the service must never harm it: where
 * the folder cannot be made, it runs without.
 */
import { existsSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { errors, sentence, ServiceError } from '../../errors.js';
import { MAX_WORKERS } from '../../protocol/limits.js';
import { HUNG_PATH } from '../../protocol/messages.js';
import { errorLine } from '../../logging/loggable.js';
import type { Line } from '../report/narrate.js';
import { isSameFolder, type FolderId } from '../../platform/private-folder.js';
import {
  makeRunDirectory,
  removeIfEmpty,
  runDirectoryFailure,
  runDirectoryFault,
  type RunDirectory,
} from './run-directory.js';
import type { EventList } from '../report/events.js';
import type { Status } from '../report/status.js';
import type { ActionOutcome } from '../action.js';

/** What tells services apart. */
type Identity = Pick<Status, 'app' | 'file'>;

export interface Controlled {
  readonly identity: Identity;
  status(): Promise<Status>;
  /** @param after the number of the last event that the client knows */
  events(after: number): EventList;
  /** @param envName another environment of the app file */
  reload(envName: string | undefined): Promise<ActionOutcome>;
  scale(instances: number): Promise<ActionOutcome>;
  /** The watchdog of the worker with this pid is about to kill it. */
  hung(pid: number, blockedMs: number): void;
  /** Settles when the last worker has left. */
  stop(): Promise<ActionOutcome>;
  /** Settles when another supervisor is in charge and the last worker has left, or when nothing has changed. */
  upgrade(): Promise<ActionOutcome>;
}

export interface Control {
  /** Makes the socket again if it was removed, as cleaners of temporary folders do. */
  ensure(): void;
  /** Resolves when every answer has been handed over and the socket is gone. */
  close(): Promise<void>;
}

/** Largest body of a request, in bytes. */
const BODY_LIMIT = 1_024;

/** Longest status that is read, in characters: one of {@link MAX_WORKERS} workers is far shorter. */
const STATUS_LIMIT = 4 * 1024 * 1024;

/** How long a supervisor that holds the socket may take to identify itself. */
const PROBE_MS = 2_000;

/** How long the last answers may take to be read when the service has ended; an idle connection delays nothing. */
const FAREWELL_MS = 500;

/** The error codes of connecting to a socket without a listener. */
const NO_LISTENER = ['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'];

/** An answer: status and JSON body. */
type Answer = readonly [status: number, body: object, headers?: Readonly<Record<string, string>>];

const refused = (status: number, reason: string, headers?: Readonly<Record<string, string>>): Answer =>
  headers === undefined ? [status, { ok: false, reason }] : [status, { ok: false, reason }, headers];

/**
 * @param isSuccessor the place is taken from the supervisor that has it
 * @returns nothing where no socket could be made; one warning has been logged
 * @throws ServiceError if another supervisor runs this service already
 */
export async function openControl(
  run: RunDirectory,
  controlled: Controlled,
  log: (line: Line) => void,
  isSuccessor = false,
): Promise<Control | undefined> {
  const server = http.createServer((request, response) => void serve(controlled, request, response));
  let isClosing = false;
  let warned = '';
  let place: Place;
  server.on('error', warn);
  try {
    makeRunDirectory(run);
    if (!isSuccessor) await refuseSecond(run, controlled.identity);
    place = await open(server, run);
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    warn(error as Error);
    return undefined;
  }
  return {
    ensure() {
      if (isClosing || (isInPlace(run, place.folder) && isOurs(run, place))) return;
      server.close();
      open(server, run).then(made => (place = made), warn);
    },
    close() {
      isClosing = true;
      return closed(server, run, place, log);
    },
  };

  /** Retried often, but logged once. */
  function warn(error: Error): void {
    const message = runDirectoryFailure(error, run);
    if (message === warned) return;
    warned = message;
    log({ level: 'warn', msg: `Commands cannot reach this supervisor: ${message}` });
  }
}

/** A suspended supervisor cannot say who it is: its pid lies beside its socket. */
const pidFile = ({ directory }: RunDirectory): string => join(directory, 'supervisor.pid');

async function refuseSecond(run: RunDirectory, own: Identity): Promise<void> {
  // Most starts find none, and a request would cost them some milliseconds.
  if (!existsSync(run.socket)) return;
  const owner = await ownerOf(run.socket);
  if (owner === undefined) return;
  if (owner === 'no answer') throw errors.alreadyRunning(`${lastPid(run)}, does not answer`, run.socket);
  // A supervisor of an older version does not tell its file.
  const { app, file = own.file, supervisor } = owner;
  const pid = `pid ${supervisor.pid}`;
  throw app === own.app && file === own.file
    ? errors.alreadyRunning(pid, run.socket)
    : errors.runDirTaken({ name: app, file }, pid, run.socket);
}

/** What is asked of the supervisor that has the socket. */
type Owner = Pick<Status, 'app' | 'supervisor'> & Partial<Pick<Status, 'file'>>;

/** The supervisor that listens at this socket; `undefined` for a stale socket. */
function ownerOf(socketPath: string): Promise<Owner | 'no answer' | undefined> {
  return new Promise(resolve => {
    const request = http.get({ socketPath, path: '/status', timeout: PROBE_MS }, response => {
      let text = '';
      response.on('data', chunk => {
        text += String(chunk);
        if (text.length > STATUS_LIMIT) response.destroy();
      });
      // Not `end`: a peer that closes in the middle of its answer sends none.
      response.on('close', () => resolve(ownerIn(text)));
      response.on('error', () => undefined); // `close` follows
    });
    request.on('timeout', () => request.destroy());
    request.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
      resolve(NO_LISTENER.includes(code) ? undefined : 'no answer'),
    );
  });
}

function ownerIn(status: string): Owner | 'no answer' {
  try {
    const owner = JSON.parse(status) as Owner;
    return Number.isInteger(owner.supervisor.pid) ? owner : 'no answer';
  } catch {
    return 'no answer'; // another program answers: still not a stale socket
  }
}

function lastPid(run: RunDirectory): string {
  try {
    return `pid ${readFileSync(pidFile(run), 'utf8').trim()}`;
  } catch {
    return 'pid unknown';
  }
}

/** What is ours in the folder, until another supervisor takes the place. */
interface Place {
  readonly folder: FolderId;
  readonly inode: number | undefined;
}

/**
 * The socket is born under a name of its own and moved into place in one step: a command finds the supervisor before us or
 * us, never none. (Closing the server removes the first name only.)
 */
async function open(server: Server, run: RunDirectory): Promise<Place> {
  const folder = moveIn(run);
  const beside = join(run.directory, `s.${process.pid}`);
  rmSync(beside, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Born closed to others: a mode that is set after `listen` comes too late for some of them.
    const umask = process.umask(0o177);
    try {
      // Exclusive: inside a cluster (PM2's, say) the primary would own the socket otherwise.
      server.listen({ path: beside, exclusive: true }, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
  server.unref();
  renameSync(beside, run.socket);
  return { folder, inode: inodeOf(run.socket) };
}

/** Once our pid lies in the folder it is not empty, and no supervisor removes it. */
function moveIn(run: RunDirectory, isRetry = false): FolderId {
  const folder = makeRunDirectory(run);
  try {
    refuseFile(run.socket);
    writePid(run);
    return folder;
  } catch (error) {
    if (isRetry || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return moveIn(run, true); // the supervisor before us has removed the folder in this very moment
  }
}

const isInPlace = (run: RunDirectory, folder: FolderId): boolean =>
  isSameFolder(run.directory, folder) && runDirectoryFault(run) === undefined;

/** @throws Error for a file that is no socket: it is not ours to replace */
function refuseFile(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false)
    throw new Error(`${path} is not a socket; remove it`);
}

/** @returns nothing where no file can be: the folder may be gone, or another file in its place */
function inodeOf(path: string): number | undefined {
  try {
    return lstatSync(path).ino;
  } catch {
    return undefined;
  }
}

const isOurs = ({ socket }: RunDirectory, { inode }: Place): boolean =>
  inode !== undefined && inodeOf(socket) === inode;

/** Never through a link that lies there already: a new file (`wx` follows none) takes its place. */
function writePid(run: RunDirectory): void {
  const beside = `${pidFile(run)}.${process.pid}`;
  rmSync(beside, { force: true });
  writeFileSync(beside, `${process.pid}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(beside, pidFile(run));
}

async function closed(
  server: Server,
  run: RunDirectory,
  place: Place,
  log: (line: Line) => void,
): Promise<void> {
  if (isOurs(run, place)) {
    // Before the place is free: a moment later it could be the file of the next supervisor.
    removePid(run, log);
    rmSync(run.socket, { force: true });
  }
  const isClosed = new Promise<void>(resolve => server.close(() => resolve()));
  // Node takes a connection that has sent nothing, or half a request, for a busy one.
  const timer = setTimeout(() => server.closeAllConnections(), FAREWELL_MS);
  await isClosed;
  clearTimeout(timer);
  removeIfEmpty(run);
}

/** A service that has ended well does not fail because its folder is no folder any more. */
function removePid(run: RunDirectory, log: (line: Line) => void): void {
  try {
    rmSync(pidFile(run), { force: true });
  } catch (error) {
    log({
      level: 'warn',
      msg: `The file with the supervisor's pid stays: ${runDirectoryFailure(error as Error, run)}`,
    });
  }
}

async function serve(
  controlled: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [status, body, headers] = await answer(controlled, request).catch((error: unknown) =>
    refused(500, errorLine(error)),
  );
  response.on('error', () => undefined); // a client that has gone away cancels nothing
  response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close', ...headers });
  response.end(`${JSON.stringify(body)}\n`);
}

/** Every path with its method. */
const METHODS: ReadonlyMap<string, 'GET' | 'POST'> = new Map([
  ['/status', 'GET'],
  ['/events', 'GET'],
  ['/reload', 'POST'],
  ['/scale', 'POST'],
  ['/upgrade', 'POST'],
  ['/stop', 'POST'],
  [HUNG_PATH, 'POST'],
]);

async function answer(controlled: Controlled, request: IncomingMessage): Promise<Answer> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const method = METHODS.get(path);
  if (method === undefined) return refused(404, `there is no ${path}; try /status`);
  if (request.method !== method) return refused(405, `${path} takes ${method}`, { Allow: method });
  if (path === '/status') return [200, await controlled.status()];
  if (path === '/events') {
    const after = Number(new URLSearchParams(query).get('after') ?? 0);
    return Number.isInteger(after)
      ? [200, controlled.events(after)]
      : refused(400, '/events takes after=N, the number of an event');
  }
  const body = await bodyOf(request);
  if (body === 'large') return refused(413, `the body may have ${BODY_LIMIT} bytes`);
  if (body === 'malformed') return refused(400, 'the body must be a JSON object');
  return act(controlled, path, body);
}

async function act(controlled: Controlled, path: string, body: RequestBody): Promise<Answer> {
  if (path === HUNG_PATH) {
    if (!Number.isInteger(body.pid) || !Number.isInteger(body.blockedMs))
      return refused(400, `${HUNG_PATH} takes {"pid": N, "blockedMs": N}`);
    controlled.hung(Number(body.pid), Number(body.blockedMs));
    return [200, { ok: true }];
  }
  if (path === '/reload') {
    const { env } = body;
    if (env === undefined || (typeof env === 'string' && env !== ''))
      return outcomeAnswer(await controlled.reload(env));
    const expected = 'the NAME of env_NAME in the app file';
    return refused(400, sentence({ name: 'env', expected, got: env }));
  }
  if (path === '/stop') return outcomeAnswer(await controlled.stop());
  if (path === '/upgrade') return outcomeAnswer(await controlled.upgrade());
  const { instances } = body;
  if (instances === 0) return refused(400, errors.scaleToZero().message);
  if (
    typeof instances !== 'number' ||
    !Number.isInteger(instances) ||
    instances < 1 ||
    instances > MAX_WORKERS
  ) {
    const expected = `a whole number from 1 to ${MAX_WORKERS}`;
    return refused(400, sentence({ name: 'instances', expected, got: instances }));
  }
  return outcomeAnswer(await controlled.scale(instances));
}

/** An action that was carried out and failed is not the client's mistake, nor ours: 409, the state did not allow it. */
const outcomeAnswer = (outcome: ActionOutcome): Answer => [outcome.ok ? 200 : 409, outcome];

/** What any of the requests may have in its body. */
interface RequestBody {
  readonly env?: unknown;
  readonly instances?: unknown;
  readonly pid?: unknown;
  readonly blockedMs?: unknown;
}

async function bodyOf(request: IncomingMessage): Promise<RequestBody | 'large' | 'malformed'> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > BODY_LIMIT) return 'large';
  }
  if (text === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : 'malformed';
  } catch {
    return 'malformed';
  }
}
