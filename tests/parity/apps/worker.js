'use strict';
/**
 * The worker of most scenarios. It serves, answers what it knows about itself, and misbehaves on request: by a path, by
 * its environment, or by a file in its folder. A file `crash` makes it exit at boot with the code in that file. With
 * GATE set it listens only once there is a file `gate`; `/held` is answered only once there is a file `release`.
 */
const cluster = require('node:cluster');
const { existsSync, readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');
const { note } = require('./journal.js');

const { GATE, READY, IGNORE_ORDERS, PORT, BUILD = 'first' } = process.env;

const pathOf = name => join(__dirname, name);

function onceExists(name, callback) {
  if (existsSync(pathOf(name))) callback();
  else setTimeout(onceExists, 20, name, callback);
}

const answers = {
  '/': () => process.env.NODE_APP_INSTANCE ?? 'none',
  '/build': () => BUILD,
  '/env': name => process.env[name] ?? 'unset',
  '/args': () => process.argv.slice(2).join(' '),
  '/node-args': () => process.execArgv.join(' '),
  '/cwd': () => process.cwd(),
  '/user': () =>
    JSON.stringify({
      uid: process.getuid?.(),
      gid: process.getgid?.(),
      groups: process.getgroups?.(),
      home: process.env.HOME,
    }),
};

const faults = {
  '/exit': code => process.exit(Number(code)),
  '/throw': () => {
    throw new Error('thrown on request');
  },
  '/reject': () => void Promise.reject(new Error('rejected on request')),
  '/grow': megabytes => (answers.retained = Buffer.alloc(Number(megabytes) * 2 ** 20, 1)),
};

const server = createServer((request, response) => {
  const { pathname, search } = new URL(request.url, 'http://localhost');
  const argument = search.slice(1);
  response.setHeader('x-worker', process.pid);
  if (pathname === '/held') {
    note('holds a request');
    onceExists('release', () => response.end('answered'));
  } else if (pathname in faults) {
    response.end('ok', () => setImmediate(() => faults[pathname](argument)));
  } else response.end(answers[pathname]?.(argument) ?? 'unknown');
});

/**
 * Exits once the last request is answered and the supervisor has acknowledged the disconnect: a connection that is
 * handed over in that moment then goes to another worker and is not lost.
 */
function drain(order) {
  note(`ordered by ${order}`);
  if (IGNORE_ORDERS === 'yes') return;
  server.close(() => {
    note('exits');
    cluster.worker.once('disconnect', () => process.exit(0)).disconnect();
    setTimeout(() => process.exit(0), 1_000);
  });
}

process.on('SIGINT', drain);
process.on('SIGTERM', drain);
process.on('message', message => {
  if (message === 'shutdown') drain('message');
});

// The start of its process, not of this line: loading is not part of the supervisor's delay.
note(
  `boots ${BUILD} as ${process.env.NODE_APP_INSTANCE} with ${process.env.NUMBER}`,
  Math.ceil(performance.timeOrigin),
);
if (existsSync(pathOf('crash'))) {
  note('crashes');
  process.exit(Number(readFileSync(pathOf('crash'), 'utf8')));
}

function listen() {
  server.listen(Number(PORT), () => {
    note('listens');
    if (READY !== 'never') process.send?.('ready');
  });
}

if (GATE === 'yes') onceExists('gate', listen);
else listen();
