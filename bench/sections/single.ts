import type { Aim, Section } from '../support/section.js';
import { requestsOf } from '../support/aims.js';
import { ALONE, type Contender } from '../support/contenders.js';
import { contest } from '../support/load.js';

const contenders = [
  ALONE.bare,
  ALONE.raw,
  ALONE.rawGathered,
  ALONE.fastify,
  ALONE.express5,
  ALONE.express5Gathered,
  ALONE.express4,
  ALONE.oursUntuned,
  ALONE.ours,
];

/** Under load, until a process is called steady. */
const WARM_UP_S = 6;

/** What Express costs, and so what there is to gain, depends on the version of Node more than on anything else. */
const USUAL = { 20: 6, 24: 2.2 };

const entriesOf = (all: readonly Contender[]) => all.map(contender => ({ contender, workers: 1 }));
const rowsOf = (all: readonly Contender[]) => all.map(({ name, label }) => ({ contender: name, label }));

const aimsOf = (what: string): readonly Aim[] =>
  [
    { to: 'bare node:http', ...requestsOf('ours', 'bare'), atLeast: 0.75 },
    { to: 'node:http doing the same work', ...requestsOf('ours', 'raw-gathered'), atLeast: 0.9 },
    { to: 'Fastify', ...requestsOf('ours', 'fastify'), atLeast: 1.5 },
    { to: 'Express 5 as usual', ...requestsOf('ours', 'express5'), atLeast: USUAL },
    { to: 'Express 4 as usual', ...requestsOf('ours', 'express4'), atLeast: USUAL },
  ].map(({ to, ...aim }) => ({ ...aim, what: `${what}, requests/s: this worker to ${to}`, digits: 2 }));

/** One worker, connections kept alive. */
export const single: Section = {
  name: 'single',
  title: 'One worker, connections kept alive',
  about: `\`GET /health\` over 64 connections, with a core each for server and client. All but the first do the same work:
the same JSON answer, the same security headers, a request id, and one log line to a file in memory. "Log lines gathered"
means that several lines are written together, as this worker does with the lines of one turn of the event loop; the
others write each line separately, the default of loggers. A ratio of requests above 1 means that this worker answers more
requests. The latency is that of a saturated server: mostly waiting. Each process is new and has been under load for one
second.`,
  run: bench =>
    contest(bench, {
      entries: entriesOf(contenders),
      rounds: bench.quick ? 1 : 4,
      seconds: bench.quick ? 1 : 2,
      pinned: true,
    }),
  rows: rowsOf(contenders),
  columns: [
    { title: 'requests/s', metric: 'rps', digits: 0 },
    { title: 'this worker to it', metric: 'rps', digits: 2, of: 'ours' },
    { title: 'at best', metric: 'rps', digits: 2, of: 'ours', atBest: true },
    { title: 'CPU µs/request', metric: 'cpuUs', digits: 1 },
    { title: 'CPU of this worker to it', metric: 'cpuUs', digits: 2, of: 'ours' },
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
  each => ![ALONE.raw, ALONE.express5Gathered, ALONE.oursUntuned].includes(each),
);

/** The same after a while. */
export const singleSteady: Section = {
  ...single,
  name: 'single-steady',
  title: 'One worker after a while, connections kept alive',
  about: `The same for some contenders, after ${WARM_UP_S} seconds of load. By then Node has compiled most of the code. The more code
a request runs, the longer that takes: the usual Express gains most.`,
  run: bench =>
    contest(bench, {
      entries: entriesOf(steady),
      rounds: bench.quick ? 1 : 4,
      seconds: bench.quick ? 1 : 2,
      warmUpS: bench.quick ? 1 : WARM_UP_S,
      pinned: true,
    }),
  rows: rowsOf(steady),
  aims: aimsOf('One worker after a while'),
  plots: [
    {
      file: 'single-steady-rps',
      title: 'One worker after a while, kept-alive connections',
      unit: 'requests per second',
      metric: 'rps',
    },
  ],
};
