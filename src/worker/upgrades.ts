/** Upgraded connections (WebSockets): the handlers of the features, by path. */
import type { IncomingMessage, Server, ServerOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Context, Feature, UpgradeHandler } from '../features/feature.js';
import { createIds, saneId } from '../http/request-id.js';
import { parseTraceparent } from '../http/trace-context.js';
import { errorRecord } from '../logging/loggable.js';
import { runInRequest } from '../utils/request-context.js';
import { answerWithoutUpgrade, refuse } from './without-upgrade.js';

/** Finds the handler of a request that asks for an upgrade. */
export type FindUpgrade = (request: IncomingMessage) => UpgradeHandler | undefined;

/** @returns nothing if no feature has a handler */
export function upgradesOf(features: readonly Feature[], context: Context): FindUpgrade | undefined {
  const handlers = new Map(features.flatMap(({ upgrades }) => Object.entries(upgrades?.(context) ?? {})));
  return handlers.size === 0 ? undefined : ({ url = '' }) => handlers.get(url.split('?', 1).join(''));
}

interface UpgradeOptions extends ServerOptions {
  /** Since 24.9 Node leaves a request alone that its server does not want to upgrade; before, it ignores this option. */
  readonly shouldUpgradeCallback?: (request: IncomingMessage) => boolean;
}

export const upgradeOptions = (find: FindUpgrade | undefined): UpgradeOptions =>
  find === undefined ? {} : { shouldUpgradeCallback: request => find(request) !== undefined };

/**
 * Gives each upgrade to the handler of its path. Everything else that asks for an upgrade is answered as if it had not,
 * as RFC 9110 (7.8) allows: Java's HTTP client asks for HTTP/2 with every request.
 * @param find without it there is no listener: one alone makes Node detach its parser from every such request
 * @param isRefused whether the connection is above MAX_CONNECTIONS; it is closed after a moment
 */
export function attachUpgrades(
  server: Server,
  find: FindUpgrade | undefined,
  { logger, draining }: Pick<Context, 'logger' | 'draining'>,
  isRefused: (request: IncomingMessage) => boolean = () => false,
): void {
  if (find === undefined) return;
  const nextId = createIds();

  server.on('upgrade', (request: IncomingMessage & { id: string }, socket: Duplex, head: Buffer) => {
    // Node listens no more: a client that goes away before its answer is complete is no failure of the worker.
    socket.on('error', () => undefined);
    const handler = find(request);
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
