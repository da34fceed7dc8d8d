import type { Section } from '../support/section.js';
import { requestsOf } from '../support/aims.js';
import { SUPERVISED } from '../support/contenders.js';
import { compareUnderLoad } from '../support/load.js';

const contenders = [SUPERVISED.pm2, SUPERVISED.cluster, SUPERVISED.oursPm2, SUPERVISED.native];

/** Two workers, connections kept alive. */
export const pair: Section = {
  name: 'pair',
  title: 'Two workers, connections kept alive',
  about: `The same request and the same work through a supervisor with two workers. No process is pinned to a CPU. CPU time is
that of supervisor and workers together.`,
  run: bench =>
    compareUnderLoad(bench, {
      entries: contenders.map(contender => ({ contender, workers: 2 })),
      rounds: bench.quick ? 1 : 3,
      seconds: bench.quick ? 1 : 2,
    }),
  rows: contenders.map(({ name, label }) => ({ contender: name, label })),
  columns: [
    { title: 'requests/s', metric: 'rps', digits: 0 },
    { title: 'ratio to PM2 + Express', metric: 'rps', digits: 2, to: 'pm2' },
    { title: 'best rounds', metric: 'rps', digits: 2, to: 'pm2', atBest: true },
    { title: 'CPU µs/request', metric: 'cpuUs', digits: 1 },
    { title: 'CPU ratio to PM2 + Express', metric: 'cpuUs', digits: 2, to: 'pm2' },
    { title: 'supervisor, cores', metric: 'supervisorCores', digits: 2 },
    { title: 'p99 ms', metric: 'p99Ms', digits: 2, brief: true },
  ],
  aims: [
    {
      what: 'Two workers, requests/s: native supervisor to PM2 + Express',
      ...requestsOf('native', 'pm2'),
      atLeast: { 20: 8, 24: 3.5 },
      digits: 2,
    },
    {
      what: 'Two workers, requests/s: this worker under PM2 to PM2 + Express',
      ...requestsOf('ours-pm2', 'pm2'),
      atLeast: { 20: 5, 24: 2.5 },
      digits: 2,
    },
  ],
  plots: [
    {
      file: 'pair-rps',
      title: 'Two workers, kept-alive connections',
      unit: 'requests per second',
      metric: 'rps',
    },
  ],
};
