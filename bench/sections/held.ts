import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { VARIABLES } from '../../src/config.js';
import type { Section } from '../support/section.js';
import { ALONE, withRunning, type Running } from '../support/contenders.js';
import { measureOtherLoad } from '../support/other-load.js';
import { memory } from '../support/proc.js';
import { summarise, inTurns, type Sample } from '../support/rounds.js';

const contenders = [ALONE.raw, ALONE.ours];
const CONNECTIONS = 10_000;
const AT_A_TIME = 100;
const IN_FLIGHT = 100;
/** Well within the time for which a draining worker keeps idle connections. */
const COMPLETED_AFTER_MS = 300;
const DEADLINE_MS = VARIABLES.drainTimeoutMs.unset;

const HEAD = 'GET /health HTTP/1.1\r\nHost: localhost\r\n';
const END = '\r\n';

/** Open connections without requests. */
export const held: Section = {
  name: 'held',
  title: `${CONNECTIONS.toLocaleString('en')} idle connections`,
  about: `Each connection has had one answer and is kept alive. The figures are its memory in the server, and the time from SIGTERM
to exit with ${IN_FLIGHT} requests in flight whose second half arrives ${COMPLETED_AFTER_MS} ms later. Plain node:http
destroys idle connections at once, and with them requests that are being sent; this worker waits one second for those
([reload](reload.md)).`,
  async run(bench) {
    const rounds = bench.quick ? 1 : 2;
    const wanted = bench.quick ? 1_000 : CONNECTIONS;
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const contender of inTurns(contenders, round)) {
        const where = { node: bench.node };
        const { foreign, ...values } = await withRunning(contender, where, running => hold(running, wanted));
        const emptyStopMs = await withRunning(contender, where, stopTime);
        samples.push({ contender: contender.name, round, foreign, values: { ...values, emptyStopMs } });
        bench.log(
          `round ${round + 1}/${rounds} ${contender.label}: ${values.rssKb.toFixed(1)} kB each, ${Math.round(values.stopMs)} ms to stop`,
        );
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
    { title: `of ${IN_FLIGHT} in flight answered`, metric: 'answered', digits: 0 },
    { title: 'SIGTERM to exit without any connection, ms', metric: 'emptyStopMs', digits: 0 },
  ],
  aims: [
    {
      what: `SIGTERM to exit with ${CONNECTIONS.toLocaleString('en')} connections open`,
      measured: samples => summarise(samples, { contender: 'ours' }, 'stopMs'),
      atMost: DEADLINE_MS,
      unit: 'ms',
      digits: 0,
    },
    {
      what: `Requests in flight answered meanwhile, of ${IN_FLIGHT}`,
      measured: samples => summarise(samples, { contender: 'ours' }, 'answered'),
      atLeast: IN_FLIGHT,
      digits: 0,
    },
  ],
  plots: [{ file: 'held', title: 'Memory for an idle connection', unit: 'kB', metric: 'rssKb' }],
};

async function stopTime(running: Running): Promise<number> {
  const from = performance.now();
  await running.stop();
  return performance.now() - from;
}

interface Held {
  readonly connections: number;
  readonly rssKb: number;
  readonly stopMs: number;
  readonly answered: number;
  readonly foreign: number;
}

async function hold(running: Running, wanted: number): Promise<Held> {
  const [pid = 0] = running.workers();
  const sockets: Socket[] = [];
  const others = measureOtherLoad([running]);
  try {
    const before = memory(pid).rss;
    while (sockets.length < wanted)
      sockets.push(...(await Promise.all(Array.from({ length: AT_A_TIME }, () => open(running.port)))));
    await sleep(2_000);
    const after = memory(pid).rss;
    const lost = sockets.filter(({ destroyed }) => destroyed).length;
    if (lost > 0) throw new Error(`${lost} of ${wanted} connections were closed`);
    const inFlight = sockets.slice(0, IN_FLIGHT);
    for (const socket of inFlight) socket.write(HEAD);
    await sleep(100);
    const foreign = others([running]);
    const [stopMs, ...answers] = await Promise.all([stopTime(running), ...inFlight.map(complete)]);
    if (stopMs > DEADLINE_MS)
      throw new Error(`SIGTERM took ${Math.round(stopMs)} ms with ${wanted} connections open`);
    return {
      connections: wanted,
      rssKb: ((after - before) * 1_024) / wanted,
      stopMs,
      answered: answers.filter(isAnswered => isAnswered).length,
      foreign,
    };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** Opens a connection and waits for its first answer. */
async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // The server may close or reset it at any time.
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  socket.write(HEAD + END);
  await once(socket, 'data');
  return socket;
}

/** Sends the rest of a request. @returns whether it is answered */
async function complete(socket: Socket): Promise<boolean> {
  let text = '';
  // Otherwise node:http would wait for another request on this connection, and not exit.
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    socket.end();
  });
  const closed = socket.destroyed ? undefined : once(socket, 'close');
  await sleep(COMPLETED_AFTER_MS);
  if (!socket.destroyed) socket.write(END);
  await closed?.catch(() => undefined);
  return text.startsWith('HTTP/1.1 200 ');
}
