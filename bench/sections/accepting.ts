import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { canReusePort } from '../../src/supervisor/processes/tcp-handles.js';
import type { Bench, Section } from '../support/section.js';
import { get } from '../support/client.js';
import { LISTENING, SUPERVISED, type Running } from '../support/contenders.js';
import { compareUnderLoad, type Entry } from '../support/load.js';
import { median, ratio, summarise, type Sample, type Summary } from '../support/rounds.js';

const SIZES = [1, 2, 4, 8];
const { roundRobin, none, shared, perSlot } = LISTENING;
const { pm2, cluster, oursPm2, native } = SUPERVISED;

/** All ways to listen, for each number of workers; with two workers also the other supervisors, and our default. */
const ways = [pm2, roundRobin, none, shared, perSlot];
const entriesOf = (workers: number): Entry[] =>
  [...ways, ...(workers === 2 ? [cluster, oursPm2, native] : [])].map(contender => ({
    contender,
    workers,
    // Only with two workers there is an aim; the other figures show the order of the contenders.
    once: workers !== 2,
  }));

const KEPT = 200;
const APART_MS = 1;

/** The kernel's distribution is random, so it is measured several times. */
const TRIES = 3;

/** Cost of accepting connections, and their distribution to the workers. */
export const accepting: Section = {
  name: 'accepting',
  title: 'Accepting connections',
  about: `These figures decide how the native supervisor listens. Requests per second with one connection for each
(\`Connection: close\`), and their cost for the supervisor, which under PM2 and with round robin accepts connections for
its workers. Balance: ${KEPT} kept-alive connections, opened one after another or all together; the figure is the share of
the busiest worker as a multiple of the fair share, the median of ${TRIES} tries. \`NODE_CLUSTER_SCHED_POLICY=rr\` and \`none\` select
node:cluster's two ways; \`CABE_LISTENER=shared\` and \`per-slot\` select the native supervisor's own. A socket for each
slot needs Node 22.12 or later. The rows "under the native supervisor" show the default.`,
  run(bench) {
    const isPossible = ({ contender }: Entry): boolean => contender !== perSlot || canDoPerSlot(bench);
    return compareUnderLoad(bench, {
      entries: (bench.quick ? [2, 8] : SIZES).flatMap(entriesOf).filter(isPossible),
      rounds: bench.quick ? 1 : 2,
      seconds: 1,
      close: true,
      extra: async running => ({
        slowBusiest: median(await repeat(TRIES, () => busiestOf(running, openedSlowly))),
        burstBusiest: median(await repeat(TRIES, () => busiestOf(running, openedAtOnce))),
      }),
    });
  },
  rows: SIZES.flatMap(x =>
    entriesOf(x).map(({ contender: { name, label } }) => ({
      contender: name,
      x,
      label: `${label}, ${x} ${x === 1 ? 'worker' : 'workers'}`,
    })),
  ),
  columns: [
    { title: 'requests/s', metric: 'rps', digits: 0 },
    { title: 'ratio to PM2 + Express', metric: 'rps', digits: 2, to: 'pm2', brief: true },
    { title: 'CPU µs/request', metric: 'cpuUs', digits: 1, brief: true },
    { title: 'supervisor, cores', metric: 'supervisorCores', digits: 2 },
    { title: 'busiest, opened slowly', metric: 'slowBusiest', digits: 2 },
    { title: 'busiest, in a burst', metric: 'burstBusiest', digits: 2 },
  ],
  aims: [
    {
      what: 'Two workers, one connection per request, requests/s: native supervisor to PM2 + Express',
      measured: samples => ratio(samples, { contender: 'native', x: 2 }, { contender: 'pm2', x: 2 }, 'rps'),
      atLeast: 2,
      digits: 2,
    },
    {
      what: 'Two workers, one connection per request: CPU of the native supervisor',
      measured: samples => summarise(samples, { contender: 'native', x: 2 }, 'supervisorCores'),
      atMost: 0.05,
      unit: 'cores',
      digits: 3,
    },
    { ...fair('slowBusiest'), what: 'Busiest of 8 workers, connections opened slowly, socket per slot' },
    { ...fair('burstBusiest'), what: 'Busiest of 8 workers, connections in a burst, socket per slot' },
  ],
  plots: [
    {
      file: 'accepting-rps',
      title: 'One connection per request',
      unit: 'requests per second',
      metric: 'rps',
      over: 'workers',
      only: ways.map(({ name }) => name),
    },
    {
      file: 'accepting-supervisor',
      title: 'One connection per request, two workers: the supervisor',
      unit: 'cores',
      metric: 'supervisorCores',
      at: 2,
    },
    {
      file: 'accepting-slow',
      title: 'Connections of the busiest worker, opened slowly',
      unit: 'fair shares',
      metric: 'slowBusiest',
      over: 'workers',
      only: [roundRobin.name, shared.name, perSlot.name],
    },
  ],
};

const canDoPerSlot = ({ version }: Bench): boolean => canReusePort(version, process.platform);

function fair(metric: string) {
  return {
    measured: (samples: readonly Sample[]): Summary | undefined =>
      summarise(samples, { contender: perSlot.name, x: 8 }, metric),
    atMost: 1.6,
    unit: 'fair shares',
    digits: 2,
  };
}

/** Opens a kept-alive connection and sends a request. @returns the pid of the worker that answered */
type Open = () => Promise<number>;

async function openedSlowly(openOne: Open): Promise<number[]> {
  return repeat(KEPT, async () => {
    await sleep(APART_MS);
    return openOne();
  });
}

const openedAtOnce = (openOne: Open): Promise<number[]> => Promise.all(Array.from({ length: KEPT }, openOne));

async function busiestOf(
  { port, workers }: Running,
  open: (openOne: Open) => Promise<readonly number[]>,
): Promise<number> {
  const agents: http.Agent[] = [];
  try {
    const answered = await open(async () => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      agents.push(agent);
      return Number((await get({ port }, agent)).body['worker']);
    });
    const counts = workers().map(pid => answered.filter(worker => worker === pid).length);
    return Math.max(...counts) / (KEPT / counts.length);
  } finally {
    for (const agent of agents) agent.destroy();
  }
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let count = 0; count < times; count++) results.push(await work());
  return results;
}
