import type { Aim, Section } from '../support/section.js';
import { requestsOf } from '../support/aims.js';
import { ALONE, type Contender } from '../support/contenders.js';
import { compareUnderLoad } from '../support/load.js';

const contenders = [
  ALONE.bare,
  ALONE.raw,
  ALONE.rawBatched,
  ALONE.fastify,
  ALONE.express5,
  ALONE.express5Batched,
  ALONE.express4,
  ALONE.oursUntuned,
  ALONE.ours,
];

/** Seconds of load until a worker counts as warm. */
const WARM_UP_S = 6;

/** The time of Express, and so the possible gain, depends mostly on the version of Node. */
const TO_EXPRESS = { 20: 6, 24: 2.2 };

const entriesOf = (all: readonly Contender[]) => all.map(contender => ({ contender, workers: 1 }));
const rowsOf = (all: readonly Contender[]) => all.map(({ name, label }) => ({ contender: name, label }));

const aimsOf = (what: string): readonly Aim[] =>
  [
    { to: 'bare node:http', ...requestsOf('ours', 'bare'), atLeast: 0.75 },
    { to: 'node:http doing the same work', ...requestsOf('ours', 'raw-batched'), atLeast: 0.9 },
    { to: 'Fastify', ...requestsOf('ours', 'fastify'), atLeast: 1.5 },
    { to: 'Express 5, helmet, pino-http', ...requestsOf('ours', 'express5'), atLeast: TO_EXPRESS },
    { to: 'Express 4, helmet, pino-http', ...requestsOf('ours', 'express4'), atLeast: TO_EXPRESS },
  ].map(({ to, ...aim }) => ({ ...aim, what: `${what}, requests/s: this worker to ${to}`, digits: 2 }));

/** One worker, connections kept alive. */
export const single: Section = {
  name: 'single',
  title: 'One worker, connections kept alive',
  about: `\`GET /health\` over 64 connections, with a core each for server and client. All but the first do the same work:
the same JSON answer, the same security headers, a request id, and one log line to a file in memory. "Log lines batched"
means that several lines are written together, as this worker does with the lines of one turn of the event loop; the
others write each line separately, the default of loggers. "This worker ÷ row" is above 1 if this worker answers more
requests. The latency is that of a saturated server: mostly waiting. Each process is new and has been under load for one
second.`,
  run: bench =>
    compareUnderLoad(bench, {
      entries: entriesOf(contenders),
      rounds: bench.quick ? 1 : 4,
      seconds: bench.quick ? 1 : 2,
      pinned: true,
    }),
  rows: rowsOf(contenders),
  columns: [
    { title: 'requests/s', metric: 'rps', digits: 0 },
    { title: 'this worker ÷ row', metric: 'rps', digits: 2, of: 'ours' },
    { title: 'best rounds', metric: 'rps', digits: 2, of: 'ours', atBest: true },
    { title: 'CPU µs/request', metric: 'cpuUs', digits: 1 },
    { title: 'CPU: this worker ÷ row', metric: 'cpuUs', digits: 2, of: 'ours' },
    { title: 'p50 ms', metric: 'p50Ms', digits: 2, brief: true },
    { title: 'p99 ms', metric: 'p99Ms', digits: 2, brief: true },
    { title: 'log bytes/request', metric: 'logBytes', digits: 0, brief: true },
  ],
  aims: aimsOf('One worker'),
  plots: [
    {
      file: 'single-rps',
      title: 'One worker, kept-alive connections',
      unit: 'requests per second',
      metric: 'rps',
    },
    { file: 'single-cpu', title: 'One worker: CPU time per request', unit: 'µs', metric: 'cpuUs' },
  ],
};

const steady = contenders.filter(
  each => ![ALONE.raw, ALONE.express5Batched, ALONE.oursUntuned].includes(each),
);

/** The same with warm workers. */
export const singleSteady: Section = {
  ...single,
  name: 'single-steady',
  title: 'One warm worker, connections kept alive',
  about: `The same for some contenders after ${WARM_UP_S} seconds of load, when Node has compiled most of the code. The more code a
request runs, the longer this takes: Express with helmet and pino-http gains most.`,
  run: bench =>
    compareUnderLoad(bench, {
      entries: entriesOf(steady),
      rounds: bench.quick ? 1 : 4,
      seconds: bench.quick ? 1 : 2,
      warmUpS: bench.quick ? 1 : WARM_UP_S,
      pinned: true,
    }),
  rows: rowsOf(steady),
  aims: aimsOf('One warm worker'),
  plots: [
    {
      file: 'single-steady-rps',
      title: 'One warm worker, kept-alive connections',
      unit: 'requests per second',
      metric: 'rps',
    },
  ],
};
