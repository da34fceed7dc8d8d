import { settle, SETTLED_S, type Section } from '../support/section.js';
import { get } from '../support/client.js';
import { ALONE, launch, withLabel, SUPERVISED, type Running } from '../support/contenders.js';
import { measureOtherLoad } from '../support/other-load.js';
import { memory } from '../support/proc.js';
import { median, ratio, summarise, inTurns, type Sample } from '../support/rounds.js';

const alone = [ALONE.raw, ALONE.express5, ALONE.ours];
const supervised = [
  SUPERVISED.pm2,
  SUPERVISED.cluster,
  SUPERVISED.oursPm2,
  SUPERVISED.native,
  SUPERVISED.nativeWatching,
];
const all = [...alone, ...supervised];

const REQUESTS = 200;

/** Memory of supervisors and workers. */
export const memorySection: Section = {
  name: 'memory',
  title: 'Memory',
  about: `All run at the same time, after ${REQUESTS} requests each and a pause of ${SETTLED_S} s in which V8 frees memory of the
start; with a supervisor there are two workers. RSS is all resident memory, including the code of Node, which all its
processes share. USS is the memory that is freed when the process exits. A worker's figure is the mean of both workers.`,
  async run(bench) {
    const rounds = bench.quick ? 1 : 2;
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round++) {
      const running: { readonly name: string; readonly it: Running }[] = [];
      const others = measureOtherLoad();
      try {
        for (const contender of inTurns(all, round)) {
          await withLabel(contender, async () => {
            const workers = alone.includes(contender) ? 1 : 2;
            const it = await launch(contender, { node: bench.node, workers });
            running.push({ name: contender.name, it });
            for (let count = 0; count < REQUESTS; count++) await get({ port: it.port });
          });
          bench.log(`round ${round + 1}/${rounds} ${contender.label}`);
        }
        await settle(bench);
        const foreign = others(running.map(({ it }) => it));
        for (const { name, it } of running)
          samples.push({ contender: name, round, foreign, values: memoryOf(it) });
      } finally {
        for (const { it } of running) await it.stop();
      }
    }
    return samples;
  },
  rows: all.map(({ name, label }) => ({ contender: name, label })),
  columns: [
    { title: 'supervisor RSS MB', metric: 'supervisorRss' },
    { title: 'supervisor USS MB', metric: 'supervisorUss' },
    { title: 'worker RSS MB', metric: 'workerRss' },
    { title: 'worker USS MB', metric: 'workerUss' },
    { title: 'worker RSS, ratio to this worker alone', metric: 'workerRss', digits: 2, to: ALONE.ours.name },
    { title: 'to Express 5 alone', metric: 'workerRss', digits: 2, to: ALONE.express5.name, brief: true },
  ],
  aims: [
    {
      what: 'Native supervisor: RSS',
      measured: samples => summarise(samples, { contender: 'native' }, 'supervisorRss'),
      atMost: { 20: 45 },
      unit: 'MB',
    },
    {
      what: 'Native supervisor: USS',
      measured: samples => summarise(samples, { contender: 'native' }, 'supervisorUss'),
      atMost: { 20: 8.5 },
      unit: 'MB',
    },
    {
      what: 'RSS of a worker under the native supervisor, to the same app alone',
      measured: samples =>
        ratio(samples, { contender: 'native' }, { contender: ALONE.ours.name }, 'workerRss'),
      atMost: 1.1,
      digits: 2,
    },
  ],
  plots: [
    {
      file: 'memory-supervisor',
      title: 'Memory of the supervisor itself (USS)',
      unit: 'MB',
      metric: 'supervisorUss',
    },
    { file: 'memory-worker', title: 'Memory of a worker (RSS)', unit: 'MB', metric: 'workerRss' },
  ],
};

function memoryOf(running: Running): Record<string, number> {
  const workers = running.workers().map(memory);
  const values = {
    workerRss: median(workers.map(({ rss }) => rss)),
    workerUss: median(workers.map(({ uss }) => uss)),
  };
  const pid = running.supervisor();
  if (pid === undefined) return values;
  const { rss, uss } = memory(pid);
  return { ...values, supervisorRss: rss, supervisorUss: uss };
}
