import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Section } from '../support/section.js';
import { get } from '../support/client.js';
import { launch, SUPERVISED } from '../support/contenders.js';
import { turns, type Sample } from '../support/rounds.js';

const contenders = [SUPERVISED.cluster, SUPERVISED.native];
const SIZES = [2, 4, 8];
const CONNECTIONS = 200;
const APART_MS = 3;

/** Who gets the connections. */
export const balance: Section = {
  name: 'balance',
  title: 'Balance of kept-alive connections',
  about: `${CONNECTIONS} connections, opened one after another and then kept: the share of the busiest and of the
idlest worker, as a multiple of the fair share. node:cluster deals them out in turn, as PM2 does, at the price seen
above; the native supervisor lets the kernel choose.`,
  async run(bench) {
    const rounds = bench.quick ? 1 : 4;
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const workers of bench.quick ? [2, 4] : SIZES) {
        for (const contender of turns(contenders, round)) {
          const running = await launch(contender, { node: bench.node, workers });
          try {
            const shares = await sharesOf(running.port, running.workers());
            const fair = CONNECTIONS / workers;
            const values = { busiest: Math.max(...shares) / fair, idlest: Math.min(...shares) / fair };
            samples.push({ contender: contender.name, x: workers, round, values });
            bench.tell(`round ${round + 1}/${rounds} ${contender.label}: ${shares.join(' ')}`);
          } finally {
            await running.stop();
          }
        }
      }
    }
    return samples;
  },
  rows: SIZES.flatMap(x =>
    contenders.map(({ name, label }) => ({ contender: name, x, label: `${label}, ${x} workers` })),
  ),
  columns: [
    { title: 'busiest', metric: 'busiest', digits: 2 },
    { title: 'idlest', metric: 'idlest', digits: 2 },
  ],
  plots: [
    {
      file: 'balance',
      title: 'Connections of the busiest worker',
      unit: 'fair shares',
      metric: 'busiest',
      over: 'workers',
    },
  ],
};

async function sharesOf(port: number, workers: readonly number[]): Promise<number[]> {
  const agents: http.Agent[] = [];
  const counts = new Map(workers.map(pid => [pid, 0]));
  for (let count = 0; count < CONNECTIONS; count++) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    const { body } = await get({ port }, agent);
    const pid = Number(body['worker']);
    counts.set(pid, (counts.get(pid) ?? 0) + 1);
    await sleep(APART_MS);
  }
  for (const agent of agents) agent.destroy();
  return [...counts.values()];
}
