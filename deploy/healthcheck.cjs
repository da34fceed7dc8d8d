'use strict';
/**
 * The container's health: exits with 0 if a worker answers `/livez`, with 1 otherwise. It does not ask whether every slot
 * is served: the supervisor replaces workers itself, and a container that is restarted meanwhile loses the others.
 */
const { get } = require('node:http');

/** Shorter than the timeout of HEALTHCHECK. */
const TIMEOUT_MS = 4_000;

const { PORT = '3001', HOST = '' } = process.env;
const host = ['', '0.0.0.0', '::'].includes(HOST) ? '127.0.0.1' : HOST;

/** @param {string} reason */
function fail(reason) {
  process.stdout.write(`/livez at ${host}:${PORT}: ${reason}\n`);
  process.exit(1);
}

get({ host, port: PORT, path: '/livez', timeout: TIMEOUT_MS }, response => {
  if (response.statusCode !== 200) fail(`status ${String(response.statusCode)}`);
  process.exit(0);
})
  .on('timeout', () => fail(`no answer within ${TIMEOUT_MS} ms`))
  .on('error', ({ message }) => fail(message));
