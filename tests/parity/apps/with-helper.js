'use strict';
/**
 * A worker with a helper process, such as a headless browser. The helper answers requests for `/held` once there is a file
 * `release`.
 */
const { fork } = require('node:child_process');
const { existsSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');
const { note } = require('./journal.js');

function onceExists(name, callback) {
  if (existsSync(join(__dirname, name))) callback();
  else setTimeout(onceExists, 20, name, callback);
}

function runHelper() {
  note('helps');
  // It does not exit with its worker by itself.
  setInterval(() => undefined, 1_000);
  process.on('message', () => onceExists('release', () => process.send('answered')));
}

function runWorker() {
  const helper = fork(__filename, ['helper']);
  const server = createServer((request, response) => {
    if (request.url !== '/held') return response.end('served');
    note('holds a request');
    helper.once('message', text => response.end(text));
    helper.once('exit', () => response.end('the helper has exited'));
    helper.send('question');
  });
  function drain(order) {
    note(`ordered by ${order}`);
    server.close(() => process.exit());
  }
  process.on('SIGINT', drain).on('message', message => message === 'shutdown' && drain('message'));
  note('boots');
  server.listen(Number(process.env.PORT), () => {
    note('listens');
    process.send('ready');
  });
}

if (process.argv[2] === 'helper') runHelper();
else runWorker();
