import { setTimeout as sleep } from 'node:timers/promises';
import type { Aim, Bench, Section } from '../support/section.js';
import { answering, get } from '../support/client.js';
import { withLabel, SUPERVISED, type Contender } from '../support/contenders.js';
import { fineCpuMs, memory } from '../support/proc.js';
import { measureOtherLoad } from '../support/other-load.js';
import { freePort, until, type LogFile } from '../support/processes.js';
import { wrk } from '../support/wrk.js';
import { CONNECTIONS } from '../support/load.js';
import { growth as growthOf, median, summarise, type Sample } from '../support/rounds.js';

const SIZES = [1, 2, 4, 8, 16];
const contenders = [SUPERVISED.oursPm2, SUPERVISED.native];

/** PM2 starts and reloads slowly; three sizes are enough to show its growth. */
const entries = SIZES.flatMap(workers =>
  contenders
    .filter(contender => contender === SUPERVISED.native || [1, 4, 16].includes(workers))
    .map(contender => ({ contender, workers })),
);

/** The interval at which the native supervisor checks its workers' memory, which is all its work while idle. */
const IDLE_S = 5;

/** 5 % of a core. */
const LIGHT_MS = 50;

/** A little more than 1, to allow for noise. */
const LINEAR = 1.1;

const GROWTH: readonly Aim[] = Object.entries({
  startMs: 'start',
  reloadMs: 'reload',
  statusMs: 'the status command',
  uss: "the supervisor's USS",
  cpuMs: "the supervisor's CPU time while idle",
  busyMs: "the supervisor's CPU time under load",
}).map(([metric, what]) => ({
  what: `Growth from 4 to 16 workers under the native supervisor: ${what} (1 is linear)`,
  measured: samples => growthOf(samples, 'native', metric),
  atMost: LINEAR,
  digits: 2,
}));

/** The same service with 1 to 16 workers. */
export const growth: Section = {
  name: 'growth',
  title: 'Growth: 1 to 16 workers',
  about: `The same worker under both supervisors. Start: from the command until all workers serve and one has answered. Reload:
from the command to its end. Status: the command that lists the workers. CPU: of the supervisor, idle and while
${CONNECTIONS} kept-alive connections keep the workers busy. With more workers than cores, a start takes as long as the
workers' own CPU time. Growth is the power by which a figure grows from 4 to 16 workers: 0 is constant, 1 is linear, 2 is
quadratic.`,
  async run(bench) {
    const samples: Sample[] = [];
    for (const { contender, workers } of entries) {
      if (bench.quick && workers !== 1 && workers !== 4) continue;
      const { foreign, values } = await withLabel(contender, () => measure(bench, contender, workers));
      samples.push({ contender: contender.name, x: workers, round: 0, foreign, values });
      bench.log(
        `${contender.label}, ${workers} ${workers === 1 ? 'worker' : 'workers'}: ${Math.round(values['startMs'] ?? 0)} ms to start`,
      );
    }
    return samples;
  },
  rows: contenders.flatMap(({ name, label }) => [
    ...SIZES.map(x => ({ contender: name, x, label: `${label}, ${x}` })),
    { contender: name, label: `${label}: growth`, growth: true },
  ]),
  columns: [
    { title: 'start ms', metric: 'startMs', digits: 0 },
    { title: 'reload ms', metric: 'reloadMs', digits: 0 },
    { title: 'status ms', metric: 'statusMs', digits: 0 },
    { title: 'status by socket ms', metric: 'socketMs', digits: 2 },
    { title: 'supervisor RSS MB', metric: 'rss' },
    { title: 'supervisor USS MB', metric: 'uss' },
    { title: 'supervisor idle, CPU ms/s', metric: 'cpuMs', digits: 2 },
    { title: 'under load, CPU ms/s', metric: 'busyMs', digits: 2 },
  ],
  aims: [
    {
      what: 'Native supervisor of 8 workers under load: CPU time',
      measured: samples => summarise(samples, { contender: 'native', x: 8 }, 'busyMs'),
      atMost: LIGHT_MS,
      unit: 'ms/s',
    },
    ...GROWTH,
  ],
  plots: [
    {
      file: 'growth-start',
      title: 'Start of 1 to 16 workers',
      unit: 'ms',
      metric: 'startMs',
      over: 'workers',
    },
    {
      file: 'growth-reload',
      title: 'Reload of 1 to 16 workers',
      unit: 'ms',
      metric: 'reloadMs',
      over: 'workers',
    },
    {
      file: 'growth-memory',
      title: 'Memory of the supervisor itself (USS)',
      unit: 'MB',
      metric: 'uss',
      over: 'workers',
    },
  ],
};

async function measure(
  bench: Bench,
  contender: Contender,
  workers: number,
): Promise<{ readonly foreign: number; readonly values: Record<string, number> }> {
  const values: Record<string, number> = {};
  const timed = async (metric: string, work: () => Promise<unknown>): Promise<void> => {
    const from = performance.now();
    await work();
    values[metric] = performance.now() - from;
  };
  const port = await freePort();
  const others = measureOtherLoad();
  const from = performance.now();
  const running = contender.launch({ node: bench.node, port, workers });
  try {
    // Requests until each worker has answered would slow down their start.
    await until(() => serving(running.log) === workers, `${workers} workers serve`, 5);
    await answering(port, 1);
    values['startMs'] = performance.now() - from;
    const { status, reload, socket } = running;

    const supervisor = running.supervisor() ?? 0;
    const spent = async (metric: string, seconds: number, work: () => Promise<unknown>): Promise<void> => {
      const before = fineCpuMs(supervisor);
      await work();
      values[metric] = (fineCpuMs(supervisor) - before) / seconds;
    };
    await sleep(1_000);
    await spent('cpuMs', IDLE_S, () => sleep(IDLE_S * 1_000));
    await spent('busyMs', 1, () => wrk({ port, seconds: 1, connections: CONNECTIONS }));
    const { rss, uss } = memory(supervisor);
    Object.assign(values, { rss, uss });

    if (status !== undefined) await timed('statusMs', status);
    if (socket !== undefined) values['socketMs'] = await socketLatency(socket);
    if (reload !== undefined) await timed('reloadMs', reload);
    return { foreign: others([running]), values };
  } finally {
    await running.stop();
  }
}

/** How many workers have logged that they serve. */
const serving = (log: LogFile): number =>
  log.lines().filter(line => line.includes('HTTP server started successfully')).length;

async function socketLatency(socketPath: string): Promise<number> {
  const latencies: number[] = [];
  for (let count = 0; count < 20; count++) {
    const from = performance.now();
    const { status } = await get({ socketPath, path: '/status' });
    if (status !== 200) throw new Error(`The control socket answered ${status}`);
    latencies.push(performance.now() - from);
  }
  return median(latencies);
}
