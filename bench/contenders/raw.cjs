'use strict';
/**
 * node:http and nothing else. RAW=bare answers and does no more: the floor. Otherwise it does what our worker does,
 * the same headers, an id and a line per request, in the plainest way there is; with
 * LOG=gathered the lines of one turn of the event loop are written together.
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

function gather(line) {
  if (pending === '') {
    setImmediate(() => {
      const lines = pending;
      pending = '';
      writeSync(1, lines);
    });
  }
  pending += line;
}

const log = process.env.LOG === 'gathered' ? gather : line => writeSync(1, line);

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
