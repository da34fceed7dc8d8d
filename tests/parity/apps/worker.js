'use strict';
/**
 * The worker of most scenarios. It serves, tells about itself, and misbehaves when it is asked to: by a request, by
 * its environment, or by a file beside it. `crash` ends it at boot with the code that stands in it; where GATE is set
 * it does not listen before there is a `gate`, and what `/held` asks for is answered once there is a `release`.
 */
const cluster = require('node:cluster');
const { existsSync, readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');
const { note } = require('./journal.js');

const { GATE, READY, STUBBORN, PORT, BUILD = 'first' } = process.env;

const beside = name => join(__dirname, name);

function whenThereIs(name, then) {
  if (existsSync(beside(name))) then();
  else setTimeout(whenThereIs, 20, name, then);
}

const answers = {
  '/': () => process.env.NODE_APP_INSTANCE ?? 'none',
  '/build': () => BUILD,
  '/env': name => process.env[name] ?? 'unset',
  '/args': () => process.argv.slice(2).join(' '),
  '/node-args': () => process.execArgv.join(' '),
  '/cwd': () => process.cwd(),
};

const misdeeds = {
  '/exit': code => process.exit(Number(code)),
  '/throw': () => {
    throw new Error('thrown on request');
  },
  '/reject': () => void Promise.reject(new Error('rejected on request')),
  '/grow': megabytes => (answers.held = Buffer.alloc(Number(megabytes) * 2 ** 20, 1)),
};

const server = createServer((request, response) => {
  const { pathname, search } = new URL(request.url, 'http://localhost');
  const argument = search.slice(1);
  response.setHeader('x-worker', process.pid);
  if (pathname === '/held') {
    note('holds a request');
    whenThereIs('release', () => response.end('answered'));
  } else if (pathname in misdeeds) {
    response.end('as you wish', () => setImmediate(() => misdeeds[pathname](argument)));
  } else response.end(answers[pathname]?.(argument) ?? 'unknown');
});

/**
 * Leaves when the last request has been answered and the supervisor has acknowledged that it goes: a connection that
 * was handed over in the same moment is then given to another worker instead of lost.
 */
function leave(order) {
  note(`ordered by ${order}`);
  if (STUBBORN === 'yes') return;
  server.close(() => {
    note('leaves');
    cluster.worker.once('disconnect', () => process.exit(0)).disconnect();
    setTimeout(() => process.exit(0), 1_000);
  });
}

process.on('SIGINT', leave);
process.on('SIGTERM', leave);
process.on('message', message => {
  if (message === 'shutdown') leave('message');
});

// It was born when its process began: what it takes to load it is not the supervisor's delay.
note(
  `boots ${BUILD} as ${process.env.NODE_APP_INSTANCE} with ${process.env.NUMBER}`,
  Math.ceil(performance.timeOrigin),
);
if (existsSync(beside('crash'))) {
  note('crashes');
  process.exit(Number(readFileSync(beside('crash'), 'utf8')));
}

function listen() {
  server.listen(Number(PORT), () => {
    note('listens');
    if (READY !== 'never') process.send?.('ready');
  });
}

if (GATE === 'yes') whenThereIs('gate', listen);
else listen();
