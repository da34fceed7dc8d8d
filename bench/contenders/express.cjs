'use strict';
/**
 * The app that most people would write: Express, helmet, pino-http, each as its documentation shows it, doing the work
 * of our worker: the same answer, the same headers, an id, a line per request. EXPRESS=4 takes Express 4; LOG=gathered
 * lets pino write when it finds the time, so that lines go out together.
 */
const { randomUUID } = require('node:crypto');
const express = require(process.env.EXPRESS === '4' ? 'express4' : 'express');
const helmet = require('helmet');
const pino = require('pino');
const { pinoHttp } = require('pino-http');
const { HELMET, health, serve } = require('./shared.cjs');

/** Only on demand: under PM2 a destination of one's own would bypass its logs. */
const gathered = process.env.LOG === 'gathered' && { logger: pino(pino.destination({ fd: 1, sync: false })) };

const app = express();
// Neither header is sent by the others: sending them would be more work.
app.disable('x-powered-by').disable('etag');
app.use(
  pinoHttp({
    ...gathered,
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
