import http, { type Server, type ServerOptions } from 'node:http';
import type { Express } from 'express';
import type { Config } from '../config.js';
import { createFittedServer } from '../fast-path/fitted-server.js';

/** A request must have arrived whole within this time, from slow and hostile clients, too. */
const REQUEST_TIMEOUT_MS = 300_000;

/**
 * Added to the keep-alive timeout: Node once counted the idle time of a connection as part of the time for a head
 * (nodejs/node#24980). Node 20 and later do not, but still check the two in this order.
 */
const HEADERS_MARGIN_MS = 1_000;

export function createServer(
  app: Express,
  { keepAliveTimeoutMs, expressTuning }: Config,
  options: ServerOptions = {},
): Server {
  const server = expressTuning ? createFittedServer(app, options) : http.createServer(options, app);
  server.keepAliveTimeout = keepAliveTimeoutMs;
  server.headersTimeout = keepAliveTimeoutMs + HEADERS_MARGIN_MS;
  server.requestTimeout = Math.max(REQUEST_TIMEOUT_MS, server.headersTimeout);
  return server;
}
