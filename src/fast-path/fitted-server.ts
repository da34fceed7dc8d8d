/**
 * A server that makes its requests and responses with the prototypes of an Express app.
 *
 * Express sets the prototypes of both on every request (`app.handle`), which makes every later use of them slow. Here
 * there is nothing to change, because the objects are made with those prototypes. Without this file a
 * request takes 3.9 times the CPU time on Node 20, 1.12 on Node 24, 1.09 on Node 26 (decision 0005). An app that is
 * mounted on this one still costs what it costs in Express: its prototypes are others.
 */
import http, { IncomingMessage, ServerResponse, type Server, type ServerOptions } from 'node:http';
import type { Express } from 'express';

export function createFittedServer(app: Express, options: ServerOptions): Server {
  return http.createServer({ ...options, ...fittedTo(app) }, app);
}

/**
 * Classes whose prototypes stand in for `app.request` and `app.response`, with those behind them. Classes, because V8
 * then knows from the first object on how many properties it will get; it does not with functions whose prototype was
 * exchanged, the older way.
 */
function fittedTo(app: Express): ServerOptions {
  class FittedRequest extends IncomingMessage {}
  class FittedResponse extends ServerResponse {}
  Object.setPrototypeOf(FittedRequest.prototype, app.request);
  Object.setPrototypeOf(FittedResponse.prototype, app.response);
  app.request = FittedRequest.prototype as Express['request'];
  app.response = FittedResponse.prototype as unknown as Express['response'];
  return { IncomingMessage: FittedRequest, ServerResponse: FittedResponse } as unknown as ServerOptions;
}
