'use strict';
/** Plain node:cluster: forks WORKERS workers of PROGRAM, and replaces each that exits. */
const cluster = require('node:cluster');

cluster.setupPrimary({ exec: process.env.PROGRAM });
let stopping = false;
cluster.on('exit', () => {
  if (!stopping) cluster.fork();
  else if (Object.keys(cluster.workers).length === 0) process.exit(0);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    stopping = true;
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
  });
}
for (let count = 0; count < Number(process.env.WORKERS); count++) cluster.fork();
