import { setTimeout as sleep } from 'node:timers/promises';
import type { Section } from '../support/section.js';
import { get } from '../support/client.js';
import { ALONE, launch, SUPERVISED } from '../support/contenders.js';
import { memory } from '../support/proc.js';
import { median, turns, type Sample } from '../support/rounds.js';

const alone = [ALONE.raw, ALONE.express5, ALONE.ours];
const supervised = [SUPERVISED.pm2, SUPERVISED.cluster, SUPERVISED.oursPm2, SUPERVISED.native];
const all = [...alone, ...supervised];

const REQUESTS = 200;

/** What the processes keep to themselves, and what they share. */
export const memorySection: Section = {
  name: 'memory',
  title: 'Memory',
  about: `After ${REQUESTS} requests and a pause; two workers where there is a supervisor. RSS is all that is resident,
the text of Node included, which all its processes share; USS is what would be free if the process ended. A worker's is
the mean of both.`,
  async run(bench) {
    const rounds = bench.quick ? 1 : 3;
    const samples: Sample[] = [];
    // Somebody else with the same Node: the text of a lonely one would count as its own.
    const companion = await launch(ALONE.raw, { node: bench.node });
    for (let round = 0; round < rounds; round++) {
      for (const contender of turns(all, round)) {
        const running = await launch(contender, {
          node: bench.node,
          workers: alone.includes(contender) ? 1 : 2,
        });
        try {
          for (let count = 0; count < REQUESTS; count++) await get({ port: running.port });
          await sleep(bench.quick ? 500 : 2_000);
          const supervisor = running.supervisor();
          const workers = running.workers().map(memory);
          const values = {
            workerRss: median(workers.map(({ rss }) => rss)),
            workerUss: median(workers.map(({ uss }) => uss)),
            ...(supervisor === undefined ? {} : prefixed(memory(supervisor))),
          };
          samples.push({ contender: contender.name, round, values });
          bench.tell(
            `round ${round + 1}/${rounds} ${contender.label}: ${values.workerRss.toFixed(1)} MB a worker`,
          );
        } finally {
          await running.stop();
        }
      }
    }
    await companion.stop();
    return samples;
  },
  rows: all.map(({ name, label }) => ({ contender: name, label })),
  columns: [
    { title: 'supervisor RSS MB', metric: 'supervisorRss' },
    { title: 'supervisor USS MB', metric: 'supervisorUss' },
    { title: 'worker RSS MB', metric: 'workerRss' },
    { title: 'worker USS MB', metric: 'workerUss' },
    {
      title: 'worker RSS, ratio to Express 5 alone',
      metric: 'workerRss',
      digits: 2,
      to: 'express5',
      brief: true,
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

const prefixed = ({
  rss,
  uss,
}: {
  rss: number;
  uss: number;
}): { supervisorRss: number; supervisorUss: number } => ({
  supervisorRss: rss,
  supervisorUss: uss,
});
