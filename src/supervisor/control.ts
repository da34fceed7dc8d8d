/**
 * The control socket: HTTP/1.1 over a Unix socket that only this user can open. `GET /status`, `POST /reload`,
 * `POST /scale {"instances": N}`, `POST /stop`; an action is answered when it is done. Controlling the service must
 * never harm it: where the folder cannot be made, it runs without.
 */
import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ServiceError } from '../errors.js';
import type { Line } from './narrate.js';
import { makeDirectory, type RunDirectory } from './run-directory.js';
import type { Status } from './status.js';
import type { ActionOutcome } from './supervisor.js';

export interface Controlled {
  status(): Status;
  reload(): Promise<ActionOutcome>;
  scale(instances: number): Promise<ActionOutcome>;
  /** Settles when the last worker has left. */
  stop(): Promise<ActionOutcome>;
}

export interface Control {
  /** Makes the socket again if somebody removed it, as cleaners of temporary folders do. */
  ensure(): void;
  /** Resolves when every answer has been handed over and the socket is gone. */
  close(): Promise<void>;
}

/** Largest body of a request, in bytes. */
const BODY_LIMIT = 1_024;

/** How long a supervisor that holds the socket may take to tell who it is. */
const PROBE_MS = 2_000;

/** An answer: status and JSON body. */
type Answer = readonly [status: number, body: object, headers?: Readonly<Record<string, string>>];

const refused = (status: number, reason: string, headers?: Readonly<Record<string, string>>): Answer =>
  headers === undefined ? [status, { ok: false, reason }] : [status, { ok: false, reason }, headers];

/**
 * @returns nothing where no socket could be made; one warning has been logged
 * @throws ServiceError if another supervisor runs this service already
 */
export async function openControl(
  { directory, socket }: RunDirectory,
  controlled: Controlled,
  log: (line: Line) => void,
): Promise<Control | undefined> {
  const owner = await ownerOf(socket);
  if (owner !== undefined) {
    throw new ServiceError(
      'ALREADY_RUNNING',
      `A supervisor of this service is already running (pid ${owner}, ${socket}); stop it, or set RUN_DIR for a second one`,
    );
  }
  const server = http.createServer((request, response) => void serve(controlled, request, response));
  server.on('error', warn);
  try {
    await open(server, directory, socket);
  } catch (error) {
    warn(error as Error);
    return undefined;
  }
  return {
    ensure() {
      if (existsSync(socket)) return;
      server.close();
      open(server, directory, socket).catch(warn);
    },
    close: () => closed(server),
  };

  function warn(error: Error): void {
    log({ level: 'warn', msg: `Commands cannot reach this supervisor: ${error.message}` });
  }
}

/** The pid of a live supervisor behind this socket; a socket behind which nobody answers is nobody's. */
function ownerOf(socket: string): Promise<number | undefined> {
  return new Promise(resolve => {
    if (!existsSync(socket)) return resolve(undefined);
    const request = http.get({ socketPath: socket, path: '/status', timeout: PROBE_MS }, response => {
      let text = '';
      response.on('data', chunk => (text += String(chunk)));
      response.on('end', () => resolve(pidIn(text)));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', error =>
      resolve((error as NodeJS.ErrnoException).code === 'ECONNRESET' ? 0 : undefined),
    );
  });
}

function pidIn(status: string): number {
  try {
    return (JSON.parse(status) as Status).supervisor.pid;
  } catch {
    return 0; // somebody answers, though not in our words: still not a stale socket
  }
}

async function open(server: Server, directory: string, socket: string): Promise<void> {
  makeDirectory(directory);
  if (existsSync(socket)) unlinkSync(socket);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Exclusive: inside a cluster (PM2's, say) the primary would own the socket otherwise.
    server.listen({ path: socket, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  chmodSync(socket, 0o600);
  server.unref();
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>(resolve => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

async function serve(
  controlled: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [status, body, headers] = await answer(controlled, request).catch((error: Error) =>
    refused(500, error.message),
  );
  response.on('error', () => undefined); // who has gone away cancels nothing
  response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close', ...headers });
  response.end(`${JSON.stringify(body)}\n`);
}

async function answer(controlled: Controlled, request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '').split('?')[0];
  const method = path === '/status' ? 'GET' : 'POST';
  if (!['/status', '/reload', '/scale', '/stop'].includes(path ?? ''))
    return refused(404, `there is no ${path}; try /status`);
  if (request.method !== method) return refused(405, `${path} takes ${method}`, { Allow: method });
  if (path === '/status') return [200, controlled.status()];
  const body = await bodyOf(request);
  if (body === 'large') return refused(413, `the body may have ${BODY_LIMIT} bytes`);
  if (body === 'malformed') return refused(400, 'the body must be a JSON object');
  return act(controlled, path, body);
}

async function act(
  controlled: Controlled,
  path: string | undefined,
  body: { instances?: unknown },
): Promise<Answer> {
  if (path === '/reload') return told(await controlled.reload());
  if (path === '/stop') return told(await controlled.stop());
  const { instances } = body;
  if (instances === 0) return refused(400, 'scale 0 would stop the service; use stop');
  if (typeof instances !== 'number' || !Number.isInteger(instances) || instances < 1 || instances > 1024) {
    return refused(
      400,
      `instances must be a whole number from 1 to 1024, got ${JSON.stringify(instances) ?? 'nothing'}`,
    );
  }
  return told(await controlled.scale(instances));
}

/** An action that was carried out and failed is not the client's mistake, nor ours: 409, the state did not allow it. */
const told = (outcome: ActionOutcome): Answer => [outcome.ok ? 200 : 409, outcome];

async function bodyOf(request: IncomingMessage): Promise<{ instances?: unknown } | 'large' | 'malformed'> {
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
