'use strict';
/** The built service as `compile-cache.cjs` starts it: it ends with its channel, also where the build is killed. */
const { join } = require('node:path');

process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));

require(join(__dirname, '..', 'dist', 'cluster.js'));
