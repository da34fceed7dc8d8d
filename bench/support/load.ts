/** Rounds under load: each contender in turn, with the CPU time that it took beside the requests that it answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './section.js';
import { during, type Contender, type Running } from './contenders.js';
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

/** Lets what a fresh process does most be compiled; not yet all of it. */
const WARM_UP_S = 1;

export interface Entry {
  readonly contender: Contender;
  readonly workers: number;
  /** Takes part in the first round only. */
  readonly once?: boolean;
}

export interface Contest {
  readonly entries: readonly Entry[];
  readonly rounds: number;
  readonly seconds: number;
  /** So long is each under load before its turn. */
  readonly warmUpS?: number;
  readonly close?: boolean;
  /** Server and client on a CPU each; not for several workers, which need all there are. */
  readonly pinned?: boolean;
  /** What else is measured before the load. */
  readonly besides?: (running: Running) => Promise<Readonly<Record<string, number>>>;
}

/**
 * Every round launches everybody anew, one after another: two processes that run the same program can differ by more
 * than two programs do, for as long as they live.
 */
export async function contest(bench: Bench, what: Contest): Promise<Sample[]> {
  const { entries, rounds, seconds, warmUpS = WARM_UP_S, close = false, pinned = false } = what;
  const { server, client } = pinned ? bench.cpus : { server: undefined, client: undefined };
  const samples: Sample[] = [];
  const works = new Map<Contender, Work>();
  for (let round = 0; round < rounds; round++) {
    for (const { contender, workers } of turns(entriesOf(entries, round), round)) {
      const sample = await during(contender, { node: bench.node, workers, cpu: server }, async running => {
        const entrant = { contender, running };
        if (!works.has(contender)) works.set(contender, await observe(entrant));
        const others = watchOthers([running]);
        const besides = await what.besides?.(running);
        const foreign = others([running]);
        const load = { port: running.port, seconds, connections: CONNECTIONS, close, cpu: client };
        await measure(entrant, round, { ...load, seconds: warmUpS });
        const measured = await measureAgain(entrant, round, load);
        return {
          ...measured,
          x: workers,
          foreign: Math.max(measured.foreign, besides === undefined ? 0 : foreign),
          values: { ...measured.values, ...besides },
        };
      });
      samples.push(sample);
      bench.tell(
        `round ${round + 1}/${rounds} ${contender.label}, ${workers} ${workers === 1 ? 'worker' : 'workers'}: ${Math.round(sample.values.rps)} requests/s`,
      );
    }
    if (round === 0) refuseUnequalWork(works);
  }
  return samples;
}

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
