import type { Section } from '../support/section.js';
import { ALONE } from '../support/contenders.js';
import { contest } from '../support/load.js';

const contenders = [
  ALONE.bare,
  ALONE.raw,
  ALONE.rawGathered,
  ALONE.fastify,
  ALONE.express5,
  ALONE.express5Gathered,
  ALONE.express4,
  ALONE.ours,
];

/** One worker, connections kept alive. */
export const single: Section = {
  name: 'single',
  title: 'One worker, connections kept alive',
  about: `\`GET /health\` over 64 connections, server and client on a core each. All but the first do the same work:
the same JSON answer, the same security headers, a request id, and one line in the log, which goes to a file in memory.
Where it says gathered, several lines are written together, as this worker does with those of one turn of the event
loop; elsewhere each by itself, as loggers do unless told otherwise.
The ratio is that of CPU time per request; the latency is that of a saturated server, so it is mostly waiting.`,
  run: bench => contest(bench, { contenders, workers: 1, pinned: true }),
  rows: contenders.map(({ name, label }) => ({ contender: name, label })),
  columns: [
    { title: 'requests/s', metric: 'rps', digits: 0 },
    { title: 'CPU µs/request', metric: 'cpuUs', digits: 1 },
    { title: 'CPU ratio to node:http, lines gathered', metric: 'cpuUs', digits: 2, to: 'raw-gathered' },
    { title: 'p50 ms', metric: 'p50Ms', digits: 2, brief: true },
    { title: 'p99 ms', metric: 'p99Ms', digits: 2, brief: true },
    { title: 'log bytes/request', metric: 'logBytes', digits: 0, brief: true },
  ],
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
