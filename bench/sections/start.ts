import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Section } from '../support/section.js';
import { answering } from '../support/client.js';
import { ALONE, named, SUPERVISED, type Contender } from '../support/contenders.js';
import { watchOthers } from '../support/foreign.js';
import { CPUS, freePort } from '../support/processes.js';
import { median, summarise, turns, type Sample, type Summary } from '../support/rounds.js';

const contenders = [
  SUPERVISED.pm2,
  SUPERVISED.clusterRaw,
  SUPERVISED.cluster,
  SUPERVISED.oursPm2,
  SUPERVISED.native,
];
const all = [ALONE.raw, ALONE.express5, ALONE.ours, ...contenders];

/** A worker counts as stable after a second, in PM2 and in ours; only then is a crash healed without a delay. */
const STABLE_MS = 1_200;

/** A single one says little: a start takes as long as the machine is busy. */
const CRASHES = 5;

/** What `min_uptime` is unless an app file says otherwise: so long the native supervisor watches its first new worker. */
const CANARY_MS = 1_000;

/** Lets whatever followed a crash come to its end. */
const QUIET_MS = 300;

const ofNative =
  (metric: string) =>
  (samples: readonly Sample[]): Summary | undefined =>
    summarise(samples, { contender: 'native' }, metric);

/** From a command to what was wanted of it. */
export const start: Section = {
  name: 'start',
  title: 'Start, reload and crash',
  about: `Start: from the command to the first answers of one worker alone, or of both workers. Reload: from the command to its
end, two workers, one after the other. The native supervisor watches its first new worker for one second
(\`min_uptime\`) before it retires an old one; the first figure includes that second, the second does not. Crash: from the
SIGKILL of one of two workers to the first answer of its replacement; the median of ${CRASHES} crashes.`,
  async run(bench) {
    const rounds = bench.quick ? 1 : 3;
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const contender of turns(all, round)) {
        const { foreign, values } = await named(contender, () => once(bench, contender));
        samples.push({ contender: contender.name, round, foreign, values });
        bench.tell(
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
    { title: 'without the watch', metric: 'reloadWorkMs', digits: 0 },
    { title: 'crash to replacement ms', metric: 'crashMs', digits: 0 },
    { title: 'stop ms', metric: 'stopMs', digits: 0, brief: true },
  ],
  aims: [
    {
      what: 'Native supervisor: from the command to the answers of 2 workers',
      measured: ofNative('startMs'),
      atMost: { 20: 350 },
    },
    {
      what: 'Native supervisor: reload of 2 workers, without the watch over the first',
      measured: ofNative('reloadWorkMs'),
      atMost: 500,
    },
    {
      what: "Native supervisor: from a crash to the replacement's first answer",
      measured: ofNative('crashMs'),
      atMost: 120,
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

async function once(
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

  const others = watchOthers();
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
