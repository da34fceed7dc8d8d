'use strict';
/**
 * `node scripts/code-cache.cjs CACHES`: runs a worker of the build until it has answered, and writes V8's code cache of
 * all its scripts (`src/worker/shortcut.ts`). CACHES is JSON: each file of packages, and the name that its cache is to
 * have; that of `packages.js` holds those of our own modules, too. V8 compiles a function when it is first called, and
 * keeps in the cache what it has compiled: so it holds what a start and a first answer need, and hardly anything else.
 */
const { once } = require('node:events');
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const { join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const DIST = join(__dirname, '..', 'dist');
const { compiled, lifecycle } = require(join(DIST, 'worker', 'shortcut.js'));

/** The packages that every worker needs. */
const PACKAGES = 'packages.js';

const { [PACKAGES]: worker, ...postponed } = JSON.parse(process.argv[2]);

/** The environment of a worker, whatever that of the build is. */
const ENVIRONMENT = { NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '0', PATH: process.env.PATH };

/** What every worker is asked first: by people, and by load balancers. */
const QUESTIONS = ['/health', '/readyz', '/api/status'];

async function main() {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, ENVIRONMENT);
  const server = listening();
  await lifecycle().runWorker();
  const { port } = (await server).address();
  for (const path of QUESTIONS) await ask(port, { path }, 200);
  await ask(port, { path: '/', method: 'POST', headers: { 'Content-Type': 'application/json' } }, 404, '{}');
  // The access line is written when the connection has done its part.
  await sleep(20);
  // No answer of ours needs the table of types.
  require(join(DIST, PACKAGES))
    .express.load()
    .response.type.call({ set: () => undefined }, 'html');
  write(
    worker,
    [...compiled.keys()].filter(path => !(path in postponed)),
  );
  for (const [path, name] of Object.entries(postponed)) if (compiled.has(path)) write(name, [path]);
  process.exit();
}

/** The worker's server, once it listens: nobody but the system knows its port. */
function listening() {
  const { listen } = net.Server.prototype;
  return new Promise(resolve => {
    net.Server.prototype.listen = function (...where) {
      this.once('listening', () => resolve(this));
      return Reflect.apply(listen, this, where);
    };
  });
}

async function ask(port, options, expected, body) {
  const request = http.request({ host: '127.0.0.1', port, agent: false, ...options }).end(body);
  const [answer] = await once(request, 'response');
  await once(answer.resume(), 'end');
  if (answer.statusCode !== expected)
    throw new Error(`${options.path} was answered with ${answer.statusCode}, expected ${expected}`);
}

function write(name, paths) {
  const file = join(DIST, name);
  const parts = paths.map(path => ({
    path,
    // That of packages is in the name of the cache.
    text: path === PACKAGES || path in postponed ? Buffer.alloc(0) : readFileSync(join(DIST, path)),
    cache: compiled.get(path).createCachedData(),
  }));
  const index = parts.map(({ path, text, cache }) => [path, text.length, cache.length]);
  const bytes = parts.flatMap(({ text, cache }) => [text, cache]);
  writeFileSync(`${file}.new`, Buffer.concat([Buffer.from(`${JSON.stringify(index)}\n`), ...bytes]));
  renameSync(`${file}.new`, file);
}

void main();
