import { setTimeout as sleep } from 'node:timers/promises';
import { settle, SETTLED_S, type Section } from '../support/section.js';
import { launch, withLabel, SUPERVISED, type Running } from '../support/contenders.js';
import { measureOtherLoad } from '../support/other-load.js';
import { fineCpuMs, sleeps } from '../support/proc.js';
import { summarise, type Sample } from '../support/rounds.js';

const contenders = [SUPERVISED.pm2, SUPERVISED.cluster, SUPERVISED.native];

/** Twice the interval at which the native supervisor checks its workers' memory. */
const SECONDS = 10;

/** The cost of an idle supervisor. */
export const idle: Section = {
  name: 'idle',
  title: 'Idle supervisor',
  about: `Two workers, no requests. All supervisors run at the same time for ${SECONDS} s, ${SETTLED_S} s after the last one
started. CPU time is from the scheduler's statistics; wake-ups are those of the supervisor.`,
  async run(bench) {
    const seconds = bench.quick ? 4 : SECONDS;
    const rounds = bench.quick ? 1 : 2;
    const running: { readonly name: string; readonly it: Running }[] = [];
    try {
      for (const contender of contenders) {
        const it = await withLabel(contender, () => launch(contender, { node: bench.node, workers: 2 }));
        running.push({ name: contender.name, it });
      }
      await settle(bench);
      const samples: Sample[] = [];
      for (let round = 0; round < rounds; round++) {
        const all = running.map(({ it }) => it);
        const others = measureOtherLoad(all);
        const before = all.map(costs);
        await sleep(seconds * 1_000);
        const foreign = others(all);
        running.forEach(({ name, it }, index) => {
          const [then, now] = [before[index], costs(it)];
          if (then === undefined) return;
          const values = {
            supervisorMs: (now.supervisorMs - then.supervisorMs) / seconds,
            supervisorWakes: (now.supervisorWakes - then.supervisorWakes) / seconds,
            workersMs: (now.workersMs - then.workersMs) / seconds,
          };
          samples.push({ contender: name, round, foreign, values });
        });
        bench.log(`round ${round + 1}/${rounds}, ${seconds} s`);
      }
      return samples;
    } finally {
      for (const { it } of running) await it.stop();
    }
  },
  rows: contenders.map(({ name, label }) => ({ contender: name, label })),
  columns: [
    { title: 'supervisor, CPU ms/s', metric: 'supervisorMs', digits: 2 },
    { title: 'supervisor, wake-ups/s', metric: 'supervisorWakes', digits: 2 },
    { title: 'both workers, CPU ms/s', metric: 'workersMs', digits: 2 },
  ],
  aims: [
    {
      what: 'Idle native supervisor: CPU time',
      measured: samples => summarise(samples, { contender: 'native' }, 'supervisorMs'),
      atMost: 1,
      unit: 'ms/s',
      digits: 2,
    },
    {
      what: 'Idle native supervisor: wake-ups',
      measured: samples => summarise(samples, { contender: 'native' }, 'supervisorWakes'),
      atMost: 1,
      unit: 'a second',
      digits: 2,
    },
  ],
  plots: [
    { file: 'idle', title: 'CPU time of an idle supervisor', unit: 'ms per second', metric: 'supervisorMs' },
  ],
};

interface Costs {
  readonly supervisorMs: number;
  readonly supervisorWakes: number;
  readonly workersMs: number;
}

function costs(running: Running): Costs {
  const supervisor = running.supervisor() ?? 0;
  return {
    supervisorMs: fineCpuMs(supervisor),
    supervisorWakes: sleeps(supervisor),
    workersMs: running.workers().reduce((sum, pid) => sum + fineCpuMs(pid), 0),
  };
}
