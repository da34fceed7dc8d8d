/** Rounds under load: each contender in turn, with the CPU time that it took beside the requests that it answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './section.js';
import { launch, named, type Contender, type Running } from './contenders.js';
import { observe, refuseUnequalLogs, refuseUnequalWork, type Entrant, type Work } from './equal.js';
import { watchOthers } from './foreign.js';
import { cpuMs, machineCpuMs, ownCpuMs } from './proc.js';
import type { LogFile } from './processes.js';
import { turns, type Sample } from './rounds.js';
import { wrk, type Load } from './wrk.js';

export const CONNECTIONS = 64;

const ATTEMPTS = 3;

/** A log that is written in batches may lag behind by one. */
const LOG_LAG_MS = 5_000;

/** A log that has not grown for so long is complete. */
const SILENCE_MS = 100;

/** Rounds that do not count let the code of fresh processes be compiled: once, or until all of it is. */
const WARM_UP = { once: 1, wholly: 6 };

export interface Entry {
  readonly contender: Contender;
  readonly workers: number;
  /** Takes part in the first round only. */
  readonly once?: boolean;
}

export interface Contest {
  readonly entries: readonly Entry[];
  readonly rounds: number;
  /**
   * For so many rounds all of them run side by side, at rest between their turns: on a machine whose speed changes by the
   * second only turns that follow each other can be compared. Without it each runs alone, launched for one turn.
   */
  readonly sideBySide?: number;
  readonly seconds: number;
  readonly close?: boolean;
  /** Server and client on a CPU each; not for several workers, which need all there are. */
  readonly pinned?: boolean;
  /** What else is measured before the load. */
  readonly besides?: (running: Running) => Promise<Readonly<Record<string, number>>>;
}

/** How all are measured when their code is compiled. */
export const steady = ({ quick }: Bench) => ({ rounds: quick ? 1 : 14, sideBySide: 7, seconds: 1 });

/** What a report says of it. */
export const SIDE_BY_SIDE = `All of them run side by side, at rest between their turns of a second, and are launched anew
once; ${WARM_UP.wholly} rounds after each launch do not count.`;

/** Who has been launched. */
interface Launched extends Entrant {
  readonly workers: number;
  /** What was measured before the load, and what else the machine was busy with meanwhile. */
  readonly besides: Readonly<Record<string, number>>;
  readonly foreign: number;
}

/**
 * Everybody is launched more than once: two processes that run the same program can differ by more than two programs do,
 * for as long as they live.
 */
export async function contest(bench: Bench, what: Contest): Promise<Sample[]> {
  const { entries, rounds, sideBySide } = what;
  const works = new Map<Contender, Work>();
  const samples: Sample[] = [];
  for (let first = 0; first < rounds; first += sideBySide ?? 1) {
    const all = turns(entriesOf(entries, first), first);
    for (const group of sideBySide === undefined ? all.map(entry => [entry]) : [all]) {
      await together(bench, what, group, works, async launched => {
        for (let round = 0; round < (sideBySide === undefined ? WARM_UP.once : WARM_UP.wholly); round++) {
          for (const entrant of turns(launched, round)) await turn(bench, what, entrant, 0);
        }
        for (let round = first; round < Math.min(first + (sideBySide ?? 1), rounds); round++) {
          for (const entrant of turns(launched, round)) {
            const sample = await turn(bench, what, entrant, round);
            samples.push(sample);
            bench.tell(
              `round ${round + 1}/${rounds} ${entrant.contender.label}, ${entrant.workers} ${entrant.workers === 1 ? 'worker' : 'workers'}: ${Math.round(sample.values['rps'] ?? NaN)} requests/s`,
            );
          }
        }
      });
    }
    if (first === 0) refuseUnequalWork(works);
  }
  return samples;
}

/** Launches them one after another for as long as they are used, and stops them, whatever happens. */
async function together(
  bench: Bench,
  what: Contest,
  group: readonly Entry[],
  works: Map<Contender, Work>,
  use: (launched: readonly Launched[]) => Promise<void>,
): Promise<void> {
  const cpu = what.pinned === true ? bench.cpus.server : undefined;
  const running: Running[] = [];
  try {
    const launched: Launched[] = [];
    for (const { contender, workers } of group) {
      await named(contender, async () => {
        const one = await launch(contender, { node: bench.node, workers, cpu });
        running.push(one);
        launched.push(await prepare(what, { contender, running: one, workers }, works));
      });
    }
    await use(launched);
  } finally {
    for (const one of running) await one.stop();
  }
}

/** Looks at the work, and measures what comes before the load. */
async function prepare(
  what: Contest,
  entrant: Pick<Launched, 'contender' | 'running' | 'workers'>,
  works: Map<Contender, Work>,
): Promise<Launched> {
  const { contender, running } = entrant;
  if (!works.has(contender)) works.set(contender, await observe(entrant));
  const others = watchOthers([running]);
  const besides = await what.besides?.(running);
  const foreign = others([running]);
  return { ...entrant, besides: besides ?? {}, foreign: besides === undefined ? 0 : foreign };
}

async function turn(bench: Bench, what: Contest, entrant: Launched, round: number): Promise<Sample> {
  const { contender, running, workers, besides, foreign } = entrant;
  const load = loadOf(bench, what, running);
  const measured = await named(contender, () => measureAgain(entrant, round, load));
  return {
    ...measured,
    x: workers,
    foreign: Math.max(measured.foreign, foreign),
    values: { ...measured.values, ...besides },
  };
}

const loadOf = (
  bench: Bench,
  { seconds, close = false, pinned = false }: Contest,
  { port }: Running,
): Load => ({
  port,
  seconds,
  connections: CONNECTIONS,
  close,
  cpu: pinned ? bench.cpus.client : undefined,
});

const entriesOf = (entries: readonly Entry[], round: number): readonly Entry[] =>
  round === 0 ? entries : entries.filter(({ once }) => once !== true);

/** All clocks that are read before and after a round, in ms. */
interface Clocks {
  readonly workers: number;
  readonly supervisor: number;
  readonly own: number;
  readonly machine: number;
  readonly wall: number;
}

function clocks(workers: readonly number[], supervisor: number | undefined): Clocks {
  return {
    workers: workers.reduce((sum, pid) => sum + cpuMs(pid), 0),
    supervisor: supervisor === undefined ? 0 : cpuMs(supervisor),
    own: ownCpuMs(),
    machine: machineCpuMs(),
    wall: performance.now(),
  };
}

/** On a machine that is busy beyond measure a round may pass without a single answer: then it is repeated. */
async function measureAgain(entrant: Entrant, round: number, load: Load): Promise<Measured> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const sample = await measure(entrant, round, load);
    if (sample.values.rps !== 0) return sample;
  }
  throw new Error(`nothing was answered in ${ATTEMPTS} rounds`);
}

type Measured = Awaited<ReturnType<typeof measure>>;

async function measure({ contender, running }: Entrant, round: number, load: Load) {
  const workers = running.workers();
  const supervisor = running.supervisor();
  running.log.empty();
  const before = clocks(workers, supervisor);
  const { requests, perSecond, p50Ms, p99Ms, errors } = await wrk(load);
  const after = clocks(workers, supervisor);
  const spent = (clock: keyof Clocks): number => after[clock] - before[clock];
  if (errors > 0) throw new Error(`${errors} of ${requests} requests failed`);

  const served = spent('workers') + spent('supervisor');
  const logged = contender.floor === true ? 0 : await logOf(running.log, requests, load.connections);
  return {
    contender: contender.name,
    round,
    foreign: Math.max(0, (spent('machine') - served - spent('own')) / spent('wall')),
    values: {
      rps: perSecond,
      cpuUs: (served * 1_000) / requests,
      supervisorUs: (spent('supervisor') * 1_000) / requests,
      supervisorCores: spent('supervisor') / spent('wall'),
      p50Ms,
      p99Ms,
      logBytes: logged / requests,
    },
  };
}

/**
 * Counts what a round has logged, and empties the log.
 * @returns its bytes
 */
async function logOf(log: LogFile, requests: number, connections: number): Promise<number> {
  const deadline = performance.now() + LOG_LAG_MS;
  let found = log.count();
  // The requests in flight at the end are still answered, and no line of theirs may fall into the next round.
  for (let before = -1; found.lines < requests || found.bytes !== before; found = log.count()) {
    if (performance.now() > deadline) break;
    before = found.bytes;
    await sleep(SILENCE_MS);
  }
  const { lines, bytes } = found;
  refuseUnequalLogs(lines, requests, connections);
  log.empty();
  return bytes;
}
