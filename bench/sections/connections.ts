import type { Section } from '../support/section.js';
import { SUPERVISED } from '../support/contenders.js';
import { contest } from '../support/load.js';

const contenders = [SUPERVISED.pm2, SUPERVISED.cluster, SUPERVISED.oursPm2, SUPERVISED.native];

/** Two workers, a connection for every request. */
export const connections: Section = {
  name: 'connections',
  title: 'Two workers, one connection per request',
  about: `The same with \`Connection: close\`: what accepting costs, and who pays for it. Where the supervisor accepts
for its workers, as node:cluster and PM2 do, it works for every connection.`,
  run: bench => contest(bench, { contenders, workers: 2, close: true }),
  rows: contenders.map(({ name, label }) => ({ contender: name, label })),
  columns: [
    { title: 'requests/s', metric: 'rps', digits: 0 },
    { title: 'ratio to PM2 + Express', metric: 'rps', digits: 2, to: 'pm2' },
    { title: 'CPU µs/request', metric: 'cpuUs', digits: 1 },
    { title: 'of these the supervisor', metric: 'supervisorUs', digits: 1, brief: true },
    { title: 'supervisor, cores', metric: 'supervisorCores', digits: 2, brief: true },
    { title: 'p99 ms', metric: 'p99Ms', digits: 2, brief: true },
  ],
  plots: [
    {
      file: 'connections-rps',
      title: 'Two workers, one connection per request',
      unit: 'requests per second',
      metric: 'rps',
    },
    {
      file: 'connections-supervisor',
      title: 'One connection per request: the supervisor',
      unit: 'cores',
      metric: 'supervisorCores',
    },
  ],
};
