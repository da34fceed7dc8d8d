'use strict';
/** The app file of the service that fills the compile cache: one worker, on any port that only this machine reaches. */
const { join } = require('node:path');

module.exports = {
  // Two builds at the same time start two services: the parent is the supervisor.
  name: `compile-cache-${process.ppid}`,
  script: join(__dirname, '..', 'dist', 'index.js'),
  exec_mode: 'cluster',
  instances: 1,
  wait_ready: true,
  shutdown_with_message: true,
  env: { NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '0', CABE_WARM_UP: '1' },
};
