/** Upgraded connections (WebSockets): the handlers of the features, by path. */
import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Context, Feature, UpgradeHandler } from '../features/feature.js';
import { createIds, saneId } from '../http/request-id.js';
import { parseTraceparent } from '../http/trace-context.js';
import { errorRecord } from '../logging/loggable.js';
import { runInRequest } from '../utils/request-context.js';

/** Since Node 24.9 a server can leave a request alone that it does not want to upgrade. */
interface ChoosingServer {
  shouldUpgradeCallback?: (request: IncomingMessage) => boolean;
}

/**
 * Gives each upgrade to the handler of its path. Everything else that asks for an upgrade is answered as if it had not,
 * as RFC 9110 (7.8) allows: Java's HTTP client asks for HTTP/2 with every request.
 * @param isRefused whether the connection is above MAX_CONNECTIONS; it is closed after a moment
 */
export function attachUpgrades(
  server: Server,
  features: readonly Feature[],
  context: Context,
  isRefused: (request: IncomingMessage) => boolean = () => false,
): void {
  const handlers = new Map(features.flatMap(({ upgrades }) => Object.entries(upgrades?.(context) ?? {})));
  // A listener alone makes Node detach its parser from every such request.
  if (handlers.size === 0) return;
  const { logger, draining } = context;
  const nextId = createIds();
  const handlerOf = ({ url = '' }: IncomingMessage): UpgradeHandler | undefined =>
    handlers.get(url.split('?', 1).join(''));

  (server as ChoosingServer).shouldUpgradeCallback = request => handlerOf(request) !== undefined;
  server.on('upgrade', (request: IncomingMessage & { id: string }, socket: Duplex, head: Buffer) => {
    // Node listens no more: a client that goes away before its answer is complete is no failure of the worker.
    socket.on('error', () => undefined);
    const handler = handlerOf(request);
    if (handler === undefined) return answerWithoutUpgrade(server, request, socket);
    if (draining.aborted || isRefused(request)) return refuse(socket, '503 Service Unavailable');
    request.id = saneId(request.headers['x-request-id']) ?? nextId();
    const { id: requestId, method = '', url = '' } = request;
    const inRequest = (call: () => void): void =>
      runInRequest({ id: requestId, trace: parseTraceparent(request.headers['traceparent']) }, call);
    const startedAt = performance.now();
    socket.once('close', () => {
      const ms = Math.round((performance.now() - startedAt) * 10) / 10;
      const msg = `${method} ${url} upgraded connection closed after ${ms} ms`;
      inRequest(() => logger.info({ requestId, method, url, ms }, msg));
    });
    inRequest(() => {
      void (async () => handler(request, socket, head))().catch((error: unknown) => {
        logger.error({ err: errorRecord(error), requestId }, 'Upgrade failed');
        refuse(socket, '500 Internal Server Error');
      });
    });
  });
}

const refuse = (socket: Duplex, status: string): void =>
  end(socket, `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);

/** Closes a connection that nothing reads any more: what the client still sends would keep it open for ever. */
function end(socket: Duplex, text = ''): void {
  socket.resume().end(text, () => socket.destroy());
}

/** For Node before 24.9. The parser is gone, so that a body could not be read any more. */
function answerWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex): void {
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
    return refuse(socket, '501 Not Implemented');
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(request.socket);
  // Unread, the end of a client that goes away would not be noticed.
  socket.resume();
  response.once('finish', () => end(socket));
  server.emit('request', request, response);
}
