import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Section } from '../support/section.js';
import { measureOtherLoad } from '../support/other-load.js';
import { environment, ROOT } from '../support/processes.js';
import { summarise, type Sample } from '../support/rounds.js';

const PROGRAM = join(ROOT, 'bench', 'contenders', 'core.cjs');
const SIZES = [1, 16, 128, 1_024];
const MOST = 1_024;

/** By the names of the program. */
const KINDS = {
  start: 'start: every slot is forked',
  ready: 'the last worker becomes ready',
  overdue: 'no worker became ready in time',
  crash: 'a worker crashes',
  unresponsive: "a worker's event loop is blocked",
  reload: 'a reload begins',
  reloadOn: 'a reload continues with the next slot',
  scale: 'scale from one slot to all',
  stop: 'stop',
  exited: 'a stopping worker exits',
};

/** The slowest kind of event. */
const SLOWEST = 'slowest';

/** Time for the supervisor's decisions, without any process. */
export const core: Section = {
  name: 'core',
  title: 'The pure core of the supervisor',
  about: `How long \`step\` takes to settle a pool after one event, by number of slots: the median of many runs. The largest pool
also has the longest run, which may include a garbage collection.`,
  async run(bench) {
    const rounds = bench.quick ? 1 : 3;
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round++) {
      const others = measureOtherLoad();
      const { stdout } = await promisify(execFile)(bench.node, [PROGRAM], {
        env: environment(bench.node, { SLOTS: SIZES.join() }),
        timeout: 120_000,
      });
      const foreign = others([]);
      const found = JSON.parse(stdout) as Record<keyof typeof KINDS, Record<string, number>>;
      const metrics = Object.keys(found.start);
      const slowest = Object.fromEntries(
        metrics.map(metric => [
          metric,
          Math.max(...Object.values(found).map(values => values[metric] ?? NaN)),
        ]),
      );
      for (const [contender, values] of Object.entries({ ...found, [SLOWEST]: slowest }))
        samples.push({ contender, round, foreign, values });
      bench.log(`round ${round + 1}/${rounds}: at most ${slowest[`median${MOST}`]?.toFixed(2)} ms`);
    }
    return samples;
  },
  rows: Object.entries({ ...KINDS, [SLOWEST]: 'the slowest of them' }).map(([contender, label]) => ({
    contender,
    label,
  })),
  columns: [
    ...SIZES.map(size => ({
      title: size === 1 ? '1 slot, ms' : `${size}`,
      metric: `median${size}`,
      digits: 3,
      brief: size < MOST,
    })),
    { title: `longest with ${MOST}`, metric: `worst${MOST}`, digits: 2, brief: true },
  ],
  aims: [
    {
      what: `Pure core with ${MOST} slots: the slowest kind of event`,
      measured: samples => summarise(samples, { contender: SLOWEST }, `median${MOST}`),
      atMost: 1,
      unit: 'ms',
      digits: 2,
    },
  ],
  plots: [
    { file: 'core', title: `One event in a pool of ${MOST} slots`, unit: 'ms', metric: `median${MOST}` },
  ],
};
