'use strict';
/**
 * A usual Express app with helmet and pino-http, each as in its documentation. It does the work of our worker: the same
 * answer, the same headers, an id and a log line per request. EXPRESS=4 uses Express 4; with LOG=batched pino writes
 * asynchronously, several lines together.
 */
const { randomUUID } = require('node:crypto');
const express = require(process.env.EXPRESS === '4' ? 'express4' : 'express');
const helmet = require('helmet');
const pino = require('pino');
const { pinoHttp } = require('pino-http');
const { HELMET, health, serve } = require('./shared.cjs');

/** Not by default: a destination of its own would bypass the logs of PM2. */
const batched = process.env.LOG === 'batched' && { logger: pino(pino.destination({ fd: 1, sync: false })) };

const app = express();
// The others send neither header.
app.disable('x-powered-by').disable('etag');
app.use(
  pinoHttp({
    ...batched,
    genReqId(request, response) {
      const id = request.headers['x-request-id'] ?? randomUUID();
      response.setHeader('X-Request-Id', id);
      return id;
    },
  }),
);
app.use(helmet(HELMET));
app.use(express.json());
app.get('/health', (_request, response) => {
  response.json(health());
});
app.use((_request, response) => {
  response.status(404).json({ status: 404 });
});

serve(require('node:http').createServer(app));
