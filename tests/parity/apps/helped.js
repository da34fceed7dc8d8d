'use strict';
/**
 * A worker with a helper process, as with a headless browser. The helper answers what `/held` asks for once there is a
 * `release`.
 */
const { fork } = require('node:child_process');
const { existsSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');
const { note } = require('./journal.js');

function whenThereIs(name, then) {
  if (existsSync(join(__dirname, name))) then();
  else setTimeout(whenThereIs, 20, name, then);
}

function help() {
  note('helps');
  // It does not end with its worker by itself.
  setInterval(() => undefined, 1_000);
  process.on('message', () => whenThereIs('release', () => process.send('answered')));
}

function serve() {
  const helper = fork(__filename, ['helper']);
  const server = createServer((request, response) => {
    if (request.url !== '/held') return response.end('served');
    note('holds a request');
    helper.once('message', text => response.end(text));
    helper.once('exit', () => response.end('the helper has ended'));
    helper.send('question');
  });
  function leave(order) {
    note(`ordered by ${order}`);
    server.close(() => process.exit());
  }
  process.on('SIGINT', leave).on('message', message => message === 'shutdown' && leave('message'));
  note('boots');
  server.listen(Number(process.env.PORT), () => {
    note('listens');
    process.send('ready');
  });
}

if (process.argv[2] === 'helper') help();
else serve();
