'use strict';
/** Fastify with its helmet and its logger. */
const { randomUUID } = require('node:crypto');
const { fastify, LogController } = require('fastify');
const { HELMET, KEEP_ALIVE_MS, health, stopOnSignal } = require('./shared.cjs');

/** One line per request instead of two: the second one contains what the first one would. */
class OneLine extends LogController {
  incomingRequest() {}

  requestCompleted(_error, request, reply) {
    request.log.info({ req: request, res: reply, responseTime: reply.elapsedTime }, 'request completed');
  }
}

const app = fastify({
  logger: true,
  logController: new OneLine(),
  requestIdHeader: 'x-request-id',
  genReqId: () => randomUUID(),
  keepAliveTimeout: KEEP_ALIVE_MS,
});
app.register(require('@fastify/helmet'), HELMET);
app.addHook('onRequest', (request, reply, done) => {
  reply.header('X-Request-Id', request.id);
  done();
});
app.get('/health', () => health());

void app.listen({ port: Number(process.env.PORT), host: process.env.HOST ?? '::' }).then(() => {
  process.send?.('ready');
  stopOnSignal(app.server);
});
