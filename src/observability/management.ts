/**
 * The management port. Every observer thread answers for its own worker on a Unix socket (`worker-socket.ts`); one of them
 * holds MANAGEMENT_PORT and answers for the service. When it ends, another takes the port over.
 */
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { ask } from './ask.js';
import { CONTENT_TYPE } from './exposition.js';
import { answerJson } from './json-http.js';
import { createServiceView, type ServiceView } from './service-view.js';
import { openLivePage, type LivePage } from '../live/live-page.js';
import type { ServiceIdentity, Snapshot } from './snapshot.js';
import type { ThreadLog } from './thread-log.js';

/** How soon a port that another program holds is tried again. */
const RETRY_MS = 10_000;

/** A worker that ends may take its port with it a moment later. */
const TAKE_OVER_MS = 50;

export interface ManagementNeeds {
  readonly port: number;
  readonly host: string;
  readonly folder: string;
  own(): Snapshot;
  readonly controlSocket: string | undefined;
  readonly log: ThreadLog;
  readonly service: ServiceIdentity;
  readonly app: string;
  readonly token: string | undefined;
  readonly pageFolder: string;
}

/** Holds the port, or waits for its holder to end. */
export function holdManagementPort(needs: ManagementNeeds): void {
  const { port, host, folder, log } = needs;
  let hasWarned = false;
  tryToListen();

  function tryToListen(): void {
    const view: { current?: ServiceView; page?: LivePage } = {};
    const server = http.createServer((request, response) => {
      response.on('error', () => undefined); // the client has gone away
      if (view.page?.answer(request, response) === true) return;
      void serve((view.current ??= createServiceView(needs)), folder, request, response);
    });
    server.once('error', (error: NodeJS.ErrnoException) => void waitForHolder(error));
    server.listen({ port, host, exclusive: true }, () => {
      keepSilentOnes(server);
      const { address } = server.address() as AddressInfo;
      view.page = openLivePage({ ...needs, address, supervisedBy: needs.service.supervisedBy });
    });
  }

  async function waitForHolder(error: NodeJS.ErrnoException): Promise<void> {
    const holder =
      error.code === 'EADDRINUSE' ? await ask({ host, port }, '/holder', RETRY_MS / 10) : 'no answer';
    if (holder === 'gone') return void setTimeout(tryToListen, TAKE_OVER_MS);
    if (holder !== 'no answer' && holder.text === folder) return waitForEnd();
    if (!hasWarned)
      log('warn', `MANAGEMENT_PORT ${port} of ${host} cannot be used, no metrics: ${error.message}`);
    hasWarned = true;
    setTimeout(tryToListen, RETRY_MS);
  }

  /** An open connection costs nothing and closes with the process of the holder. */
  function waitForEnd(): void {
    net
      .connect({ host, port })
      .on('error', () => undefined) // `close` follows
      .on('close', () => setTimeout(tryToListen, TAKE_OVER_MS));
  }
}

/** Connections of siblings that wait stay open; Node would close them after a minute. */
function keepSilentOnes(server: Server): void {
  server.headersTimeout = 0;
  server.requestTimeout = 0;
}

const PATHS = ['/metrics', '/status', '/livez', '/readyz'];

async function serve(
  view: ServiceView,
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '').split('?')[0] ?? '';
  if (path === '/holder') return void response.end(folder);
  if (!PATHS.includes(path))
    return answerJson(response, 404, { reason: `there is no ${path}; try ${[...PATHS, '/'].join(', ')}` });
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return answerJson(response, 405, { reason: `${path} takes GET` }, { Allow: 'GET, HEAD' });
  try {
    await answer(view, path, response);
  } catch (error) {
    answerJson(response, 500, { reason: (error as Error).message });
  }
}

async function answer(view: ServiceView, path: string, response: ServerResponse): Promise<void> {
  if (path === '/livez') return answerJson(response, 200, { status: 'live' });
  if (path === '/status') return answerJson(response, 200, await view.status());
  if (path === '/metrics')
    return void response.writeHead(200, { 'Content-Type': CONTENT_TYPE }).end(await view.metrics());
  const isReady = await view.isReady();
  answerJson(response, isReady ? 200 : 503, { status: isReady ? 'ready' : 'unavailable' });
}
