import type { Bench, Section } from '../support/section.js';
import { ALONE, withRunning, type Contender } from '../support/contenders.js';
import { capacityOf, openLoop, type Outcome } from '../support/open-loop.js';
import { measureOtherLoad } from '../support/other-load.js';
import { cpuMs } from '../support/proc.js';
import { inTurns, summarise, type Sample } from '../support/rounds.js';

const PATH = '/api/compute';
/** Later answers come too late for their clients. */
const IN_TIME_MS = 1_000;
/** Seconds of load; OVERLOAD_SECONDS, such as 600, may ask for more in the first round of the protected worker at 0.8. */
const SECONDS = 10;
const CALM_SECONDS = 30;
/** Keeps one worker busy without overload. */
const CLIENTS = 4;
/** Probes a second. */
const PROBES = 10;

const CALM = 0.8;
const LOADS = [CALM, 1, 2, 5];
const contenders = [ALONE.protected, ALONE.unprotected];

/** More load than a worker can handle. */
export const overload: Section = {
  name: 'overload',
  title: 'Overload',
  about: `One worker with a route that computes for some 10 ms, at multiples of the rate that it can answer, which is measured
first, each time with a new process. Requests come at random moments at this rate, whether or not earlier ones have been
answered (open loop), for ${SECONDS} seconds (${CALM_SECONDS} at ${CALM}). An answer is in time if it has status 200 and comes within
${IN_TIME_MS / 1_000} s. Goodput is the share of the worker's CPU time that answers in time have taken, at the CPU time that an answer takes
without overload: unlike a rate, it does not depend on other load of the machine. Meanwhile probes ask for \`/livez\` ${PROBES} times a second,
on a new connection each. Clients give up after 10 s. \`OVERLOAD_SECONDS=600 yarn bench overload\` gives the protected
worker ${CALM} times the capacity for ten minutes once.`,
  async run(bench) {
    const samples: Sample[] = [];
    const rounds = bench.quick ? 1 : 2;
    for (let round = 0; round < rounds; round++)
      for (const load of LOADS)
        for (const contender of inTurns(contenders, round))
          samples.push(await measure(bench, contender, load, round));
    return samples;
  },
  rows: contenders.flatMap(({ name, label }) =>
    LOADS.map(load => ({ contender: name, x: load, label: `${label}, ${load} ×` })),
  ),
  columns: [
    { title: 'requests/s', metric: 'offered', digits: 0, brief: true },
    { title: 'in time/s', metric: 'inTime', digits: 0, brief: true },
    { title: 'goodput, share', metric: 'goodput', digits: 2 },
    { title: 'refused, share', metric: 'refused', digits: 3 },
    { title: 'no answer, share', metric: 'lost', digits: 2, brief: true },
    { title: 'p50 of status 200, ms', metric: 'p50Ms', digits: 0, brief: true },
    { title: 'p99 of status 200, ms', metric: 'p99Ms', digits: 0 },
    { title: 'p99 of /livez, ms', metric: 'probeP99Ms', digits: 0 },
  ],
  aims: [
    ...[2, 5].flatMap(load => [
      {
        what: `Overload of ${load} times the capacity: goodput, share of CPU time`,
        measured: (samples: readonly Sample[]) => of(samples, load, 'goodput'),
        atLeast: 0.85,
        digits: 2,
      },
      {
        what: `Overload of ${load} times the capacity: p99 of accepted requests`,
        measured: (samples: readonly Sample[]) => of(samples, load, 'p99Ms'),
        atMost: 1_000,
        unit: 'ms',
        digits: 0,
      },
    ]),
    {
      what: `Requests refused at ${CALM} times the capacity`,
      measured: samples => of(samples, CALM, 'refusedCount'),
      atMost: 0,
      digits: 0,
    },
  ],
  plots: [
    {
      file: 'overload',
      title: 'Share of CPU time for answers in time',
      unit: '',
      metric: 'goodput',
      over: 'load, as a multiple of the capacity',
    },
  ],
};

const of = (samples: readonly Sample[], load: number, metric: string) =>
  summarise(samples, { contender: ALONE.protected.name, x: load }, metric);

const calmSeconds = (contender: Contender, round: number): number =>
  Number((contender === ALONE.protected && round === 0 && process.env['OVERLOAD_SECONDS']) || CALM_SECONDS);

async function measure(bench: Bench, contender: Contender, load: number, round: number): Promise<Sample> {
  const seconds = bench.quick ? 3 : load === CALM ? calmSeconds(contender, round) : SECONDS;
  const where = { node: bench.node, cpu: bench.cpus.server };
  const sample = await withRunning(contender, where, async running => {
    const [pid = 0] = running.workers();
    const others = measureOtherLoad([running]);
    const idleMs = cpuMs(pid);
    const { answered, perSecond } = await capacityOf(
      running.port,
      PATH,
      CLIENTS,
      bench.quick ? 1_000 : 3_000,
    );
    const before = cpuMs(pid);
    const { inTime, ...values } = await loaded(running.port, perSecond * load, seconds);
    const goodput = (inTime * (before - idleMs)) / answered / (cpuMs(pid) - before);
    return {
      contender: contender.name,
      x: load,
      round,
      foreign: others([running]),
      values: { ...values, goodput, inTime: inTime / seconds },
    };
  });
  const { goodput, refused, p99Ms } = sample.values;
  bench.log(
    `round ${round + 1} ${contender.label}, ${load} ×: goodput ${goodput.toFixed(2)}, refused ${refused.toFixed(3)}, p99 ${Math.round(p99Ms)} ms`,
  );
  return sample;
}

async function loaded(port: number, rate: number, seconds: number) {
  const [outcomes, probes] = await Promise.all([
    openLoop({ port, path: PATH, rate, seconds, keepAlive: true }),
    openLoop({ port, path: '/livez', rate: PROBES, seconds, keepAlive: false }),
  ]);
  const accepted = outcomes.filter(({ status }) => status === 200);
  const refused = outcomes.filter(({ status }) => status === 503).length;
  return {
    offered: outcomes.length / seconds,
    inTime: accepted.filter(({ ms }) => ms <= IN_TIME_MS).length,
    refused: refused / outcomes.length,
    refusedCount: refused,
    lost: (outcomes.length - accepted.length - refused) / outcomes.length,
    p50Ms: percentile(accepted, 0.5),
    p99Ms: percentile(accepted, 0.99),
    probeP99Ms: percentile(probes, 0.99),
  };
}

function percentile(outcomes: readonly Outcome[], share: number): number {
  const sorted = outcomes.map(({ ms }) => ms).toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length * share)] ?? 0;
}
