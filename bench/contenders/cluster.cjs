'use strict';
/** node:cluster and nothing else: forks WORKERS times the PROGRAM, and forks again whatever has ended. */
const cluster = require('node:cluster');

cluster.setupPrimary({ exec: process.env.PROGRAM });
let leaving = false;
cluster.on('exit', () => {
  if (!leaving) cluster.fork();
  else if (Object.keys(cluster.workers).length === 0) process.exit(0);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    leaving = true;
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
  });
}
for (let count = 0; count < Number(process.env.WORKERS); count++) cluster.fork();
