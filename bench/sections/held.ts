import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Section } from '../support/section.js';
import { ALONE, launch, type Running } from '../support/contenders.js';
import { memory } from '../support/proc.js';
import { turns, type Sample } from '../support/rounds.js';

const contenders = [ALONE.raw, ALONE.ours];
const CONNECTIONS = 10_000;
const AT_A_TIME = 100;
const REQUEST = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** Connections that are open and silent. */
export const held: Section = {
  name: 'held',
  title: `${CONNECTIONS.toLocaleString('en')} idle connections`,
  about: `Each has had one answer and is kept alive: what it costs in memory of the server, and how long SIGTERM takes
then. Plain node:http destroys idle connections at once, and with them requests that are on their way; this worker waits
a second for those (see [reload](reload.md)).`,
  async run(bench) {
    const rounds = bench.quick ? 1 : 3;
    const wanted = bench.quick ? 1_000 : CONNECTIONS;
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const contender of turns(contenders, round)) {
        const values = {
          ...(await hold(await launch(contender, { node: bench.node }), wanted)),
          emptyStopMs: await stopTime(await launch(contender, { node: bench.node })),
        };
        samples.push({ contender: contender.name, round, values });
        bench.tell(`round ${round + 1}/${rounds} ${contender.label}: ${values.rssKb.toFixed(1)} kB each`);
      }
    }
    return samples;
  },
  rows: contenders.map(({ name, label }) => ({ contender: name, label })),
  columns: [
    { title: 'connections', metric: 'connections', digits: 0, brief: true },
    { title: 'kB of RSS each', metric: 'rssKb' },
    { title: 'ratio to node:http', metric: 'rssKb', digits: 2, to: 'raw' },
    { title: 'SIGTERM to exit, ms', metric: 'stopMs', digits: 0 },
    { title: 'the same without connections', metric: 'emptyStopMs', digits: 0 },
  ],
  plots: [{ file: 'held', title: 'Memory for an idle connection', unit: 'kB', metric: 'rssKb' }],
};

async function stopTime(running: Running): Promise<number> {
  const from = performance.now();
  await running.stop();
  return performance.now() - from;
}

async function hold(
  running: Running,
  wanted: number,
): Promise<{ connections: number; rssKb: number; stopMs: number }> {
  const [pid = 0] = running.workers();
  const sockets: Socket[] = [];
  let isStopped = false;
  try {
    const before = memory(pid).rss;
    while (sockets.length < wanted) {
      sockets.push(...(await Promise.all(Array.from({ length: AT_A_TIME }, () => open(running.port)))));
    }
    await sleep(2_000);
    const after = memory(pid).rss;
    const lost = sockets.filter(({ destroyed }) => destroyed).length;
    if (lost > 0) throw new Error(`${lost} of ${wanted} connections were closed`);
    isStopped = true;
    return {
      connections: wanted,
      rssKb: ((after - before) * 1_024) / wanted,
      stopMs: await stopTime(running),
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    if (!isStopped) await running.stop();
  }
}

/** A connection that has had its first answer. */
async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // The server ends it sooner or later, one way or another.
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  socket.write(REQUEST);
  await once(socket, 'data');
  return socket;
}
