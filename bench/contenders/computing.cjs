'use strict';
/** Our worker with a route that computes, as a check of a password does: `GET /api/compute` takes some 10 ms of CPU time. */
const { pbkdf2Sync } = require('node:crypto');
const { join } = require('node:path');

const dist = join(__dirname, '..', '..', 'dist');
const routes = require(join(dist, 'routes', 'status.js'));
const { status } = routes;

const ITERATIONS = 30_000;

routes.status = environment =>
  status(environment).get('/compute', (_request, response) => {
    response.json({ hash: pbkdf2Sync('password', 'salt', ITERATIONS, 32, 'sha256').toString('hex') });
  });

require(join(dist, 'worker', 'main.js')).runWorker();
