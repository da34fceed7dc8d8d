import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Section } from '../support/section.js';
import { answering } from '../support/client.js';
import { ALONE, withLabel, SUPERVISED, type Contender } from '../support/contenders.js';
import { measureOtherLoad } from '../support/other-load.js';
import { CPUS, freePort } from '../support/processes.js';
import { median, summarise, inTurns, type Sample, type Summary } from '../support/rounds.js';

const contenders = [
  SUPERVISED.pm2,
  SUPERVISED.clusterRaw,
  SUPERVISED.cluster,
  SUPERVISED.oursPm2,
  SUPERVISED.native,
];
const all = [ALONE.raw, ALONE.express5, ALONE.ours, ...contenders];

/** After a second a worker counts as stable, under both supervisors; only a stable worker is replaced without a delay. */
const STABLE_MS = 1_200;

/** One crash is not enough: the time varies with the load of the machine. */
const CRASHES = 5;

/** The default of `min_uptime`, for which the first new worker must stay up. */
const CANARY_MS = 1_000;

/** Time until the consequences of a crash are over. */
const QUIET_MS = 300;

const ofNative =
  (metric: string) =>
  (samples: readonly Sample[]): Summary | undefined =>
    summarise(samples, { contender: 'native' }, metric);

/** Duration of start, reload and replacement. */
export const start: Section = {
  name: 'start',
  title: 'Start, reload and crash',
  about: `Start: from the command to the first answers of one worker alone, or of both workers. Reload: from the command to its
end, two workers, one after the other. Under the native supervisor the first new worker must stay up for one second
(\`min_uptime\`) before an old one retires; the first figure includes this second, the second does not. Crash: from the
SIGKILL of one of two workers to the first answer of its replacement; the median of ${CRASHES} crashes.`,
  async run(bench) {
    const rounds = bench.quick ? 1 : 3;
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const contender of inTurns(all, round)) {
        const { foreign, values } = await withLabel(contender, () => measure(bench, contender));
        samples.push({ contender: contender.name, round, foreign, values });
        bench.log(
          `round ${round + 1}/${rounds} ${contender.label}: ${Math.round(values['startMs'] ?? 0)} ms to start`,
        );
      }
    }
    return samples;
  },
  rows: all.map(({ name, label }) => ({ contender: name, label })),
  columns: [
    { title: 'start ms', metric: 'startMs', digits: 0 },
    { title: 'ratio to PM2 + Express', metric: 'startMs', digits: 2, to: 'pm2', brief: true },
    { title: 'reload ms', metric: 'reloadMs', digits: 0 },
    { title: 'without min_uptime', metric: 'reloadWorkMs', digits: 0 },
    { title: 'crash to replacement ms', metric: 'crashMs', digits: 0 },
    { title: 'stop ms', metric: 'stopMs', digits: 0, brief: true },
  ],
  aims: [
    {
      what: 'Native supervisor: from the command to the answers of 2 workers',
      measured: ofNative('startMs'),
      atMost: 300,
    },
    {
      what: 'Native supervisor: reload of 2 workers, without min_uptime of the first',
      measured: ofNative('reloadWorkMs'),
      atMost: 500,
    },
    {
      what: "Native supervisor: from a crash to the replacement's first answer",
      measured: ofNative('crashMs'),
      atMost: 160,
    },
  ].map(aim => ({ ...aim, unit: 'ms', digits: 0 })),
  plots: [
    { file: 'start', title: 'From the command to answers of all workers', unit: 'ms', metric: 'startMs' },
    {
      file: 'crash',
      title: 'From a crash to the first answer of the replacement',
      unit: 'ms',
      metric: 'crashMs',
    },
  ],
};

async function measure(
  { node, quick }: Bench,
  contender: Contender,
): Promise<{ readonly foreign: number; readonly values: Record<string, number> }> {
  const isAlone = !(contenders as readonly Contender[]).includes(contender);
  const workers = isAlone ? 1 : 2;
  const place = { node, workers, port: await freePort(), cpu: isAlone ? CPUS.server : undefined };
  const values: Record<string, number> = {};
  const timed = async (metric: string, work: () => Promise<unknown>): Promise<void> => {
    const from = performance.now();
    await work();
    values[metric] = performance.now() - from;
  };

  const others = measureOtherLoad();
  const from = performance.now();
  const running = contender.launch(place);
  let foreign: number;
  try {
    const first = await answering(place.port, workers);
    values['startMs'] = performance.now() - from;
    if (!isAlone) await crashAndReload(first);
    foreign = others([running]);
  } finally {
    await timed('stopMs', running.stop);
  }
  return { foreign, values };

  async function crashAndReload(first: readonly number[]): Promise<void> {
    const crashes: number[] = [];
    const known = [...first];
    for (let crash = 0; crash < (quick ? 1 : CRASHES); crash++) {
      await sleep(STABLE_MS);
      const at = performance.now();
      process.kill(known.at(-1) ?? 0, 'SIGKILL');
      known.push(...(await answering(place.port, 1, known)));
      crashes.push(performance.now() - at);
    }
    values['crashMs'] = median(crashes);
    if (running.reload === undefined) return;
    await sleep(QUIET_MS);
    await timed('reloadMs', running.reload);
    values['reloadWorkMs'] = (values['reloadMs'] ?? NaN) - (contender === SUPERVISED.native ? CANARY_MS : 0);
  }
}
