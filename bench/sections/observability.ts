import type { Section } from '../support/section.js';
import { requestsOf } from '../support/aims.js';
import { ALONE } from '../support/contenders.js';
import { compareUnderLoad } from '../support/load.js';

/** Seconds of load until a worker counts as warm. */
const WARM_UP_S = 6;

const TRACEPARENT = 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

/** What it costs to see: metrics, the watchdog, and the ids of a trace in each log line. */
export const observability: Section = {
  name: 'observability',
  title: 'One warm worker, observed',
  about: `\`GET /health\` over 64 connections after ${WARM_UP_S} seconds of load, with a core each for server and client. The observed
worker counts its requests, notes them for the watchdog, and parses a \`traceparent\` of each request, whose ids are in its
log line. The other one has \`OBSERVER=off\`, and its requests carry no \`traceparent\`.`,
  run: bench =>
    compareUnderLoad(bench, {
      entries: [
        { contender: ALONE.bare, workers: 1 },
        { contender: ALONE.unobserved, workers: 1 },
        { contender: ALONE.observed, workers: 1, headers: [TRACEPARENT] },
      ],
      rounds: bench.quick ? 1 : 6,
      seconds: bench.quick ? 1 : 2,
      warmUpS: bench.quick ? 1 : WARM_UP_S,
      pinned: true,
    }),
  rows: [ALONE.bare, ALONE.unobserved, ALONE.observed].map(({ name, label }) => ({ contender: name, label })),
  columns: [
    { title: 'requests/s', metric: 'rps', digits: 0 },
    { title: 'observed ÷ row', metric: 'rps', digits: 2, of: 'observed' },
    { title: 'CPU µs/request', metric: 'cpuUs', digits: 1 },
    { title: 'CPU: observed ÷ row', metric: 'cpuUs', digits: 2, of: 'observed' },
    { title: 'p99 ms', metric: 'p99Ms', digits: 2, brief: true },
  ],
  aims: [
    {
      what: 'One observed worker, requests/s: to bare node:http',
      ...requestsOf('observed', 'bare'),
      atLeast: 0.75,
      digits: 2,
    },
    {
      what: 'One observed worker, requests/s: to the same worker without',
      ...requestsOf('observed', 'unobserved'),
      atLeast: 0.92,
      digits: 2,
    },
  ],
  plots: [],
};
