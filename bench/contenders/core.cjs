'use strict';
/**
 * Measures how long the supervisor's pure core takes to settle a pool after each kind of event. SLOTS is a list of pool
 * sizes; the output is JSON, an object for each kind. A pool is immutable, so an event can be applied to it repeatedly.
 */
const { createPool, step } = require('../../dist/supervisor/core/step.js');

const POLICY = {
  waitReady: true,
  listenTimeoutMs: 10_000,
  killTimeoutMs: 9_000,
  minUptimeMs: 1_000,
  maxRestarts: 16,
  restartDelayMs: 0,
  expBackoffRestartDelayMs: 100,
  autorestart: true,
  stopExitCodes: [5, 6],
};

/** When every worker has long been stable. */
const LATER = 60_000;

const wake = { type: 'wake' };
const stop = { type: 'stop', how: 'drain' };
const ready = worker => ({ type: 'worker.ready', worker });
const exited = worker => ({ type: 'worker.exited', worker, code: 1, signal: null });
const read = instances => ({ type: 'reload.read', generation: 2, policy: POLICY, instances });
const scale = instances => ({ type: 'scale', instances });

const after = (pool, now, ...events) => events.reduce((before, event) => step(before, event, now).pool, pool);

/** For each kind: the pool, the event, and the time. Workers are numbered from 1 in the order of their forks. */
function kinds(slots) {
  const empty = createPool(POLICY, slots);
  const starting = after(empty, 0, wake);
  const workers = Array.from({ length: slots }, (_, index) => index + 1);
  const almost = after(starting, 0, ...workers.slice(0, -1).map(ready));
  const serving = after(almost, 0, ready(slots));
  const reloading = after(serving, LATER, read(slots), ready(slots + 1));
  const one = after(createPool(POLICY, 1), 0, wake, ready(1));
  return {
    start: [empty, wake, 0],
    ready: [almost, ready(slots), 0],
    overdue: [starting, wake, POLICY.listenTimeoutMs + 1],
    crash: [serving, exited(1), LATER],
    unresponsive: [serving, { type: 'worker.unresponsive', worker: 1 }, LATER],
    reload: [serving, read(slots), LATER],
    reloadOn: [reloading, wake, LATER + POLICY.minUptimeMs],
    scale: [one, scale(slots), LATER],
    stop: [serving, stop, LATER],
    exited: [after(serving, LATER, stop), exited(1), LATER],
  };
}

const LEAST_TIMES = 5;
const MOST_TIMES = 300;
const ENOUGH_MS = 60;

function timed([pool, event, now]) {
  const times = [];
  const until = performance.now() + ENOUGH_MS;
  for (let count = 0; count < MOST_TIMES && (count < LEAST_TIMES || performance.now() < until); count++) {
    const from = performance.now();
    step(pool, event, now);
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1], worst: times.at(-1) };
}

const sizes = process.env.SLOTS.split(',').map(Number);
// Warms up the code; otherwise the first kind would seem slow.
for (const kind of Object.values(kinds(16))) timed(kind);

const found = {};
for (const size of sizes) {
  for (const [name, kind] of Object.entries(kinds(size))) {
    const { median, worst } = timed(kind);
    Object.assign((found[name] ??= {}), { [`median${size}`]: median, [`worst${size}`]: worst });
  }
}
console.log(JSON.stringify(found));
