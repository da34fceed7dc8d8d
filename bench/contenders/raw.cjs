'use strict';
/**
 * Plain node:http. RAW=bare only answers: the lower bound. Otherwise it does the work of our worker in the simplest way:
 * the same headers, an id and a log line per request. With LOG=batched the lines of one turn of the event loop are written
 * together.
 */
const { randomBytes } = require('node:crypto');
const { writeSync } = require('node:fs');
const http = require('node:http');
const { SECURITY_HEADERS, health, serve } = require('./shared.cjs');

const TYPE = 'application/json; charset=utf-8';

function bare(_request, response) {
  const body = Buffer.from(JSON.stringify(health()));
  response.writeHead(200, { 'Content-Type': TYPE, 'Content-Length': body.length });
  response.end(body);
}

let pending = '';

function batch(line) {
  if (pending === '') {
    setImmediate(() => {
      const lines = pending;
      pending = '';
      writeSync(1, lines);
    });
  }
  pending += line;
}

const log = process.env.LOG === 'batched' ? batch : line => writeSync(1, line);

const own = randomBytes(6).toString('base64url');
let count = 0;

function equal(request, response) {
  const startedAt = performance.now();
  const { method, url } = request;
  const id = request.headers['x-request-id'] ?? `${own}-${(count++).toString(36)}`;
  const body = Buffer.from(JSON.stringify(health()));
  response.writeHead(200, [
    'X-Request-Id',
    id,
    ...SECURITY_HEADERS,
    'Content-Type',
    TYPE,
    'Content-Length',
    body.length,
  ]);
  response.once('close', () => {
    const ms = Math.round((performance.now() - startedAt) * 10) / 10;
    const line = { level: 30, time: Date.now(), pid: process.pid, id, method, url, status: 200, ms };
    log(`${JSON.stringify(line)}\n`);
  });
  response.end(body);
}

serve(http.createServer(process.env.RAW === 'bare' ? bare : equal));
