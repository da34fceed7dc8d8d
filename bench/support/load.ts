/** Rounds under load: each contender in turn, with the CPU time that it took beside the requests that it answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './section.js';
import { launch, type Contender } from './contenders.js';
import { refuseUnequalLogs, refuseUnequalWork, type Entrant } from './equal.js';
import { cpuMs, machineCpuMs, ownCpuMs } from './proc.js';
import type { LogFile } from './processes.js';
import { turns, type Sample } from './rounds.js';
import { wrk, type Load } from './wrk.js';

const CONNECTIONS = 64;

const ATTEMPTS = 3;

/** A log that is written in batches may lag behind by one. */
const LOG_LAG_MS = 5_000;

/** A log that has not grown for so long is complete. */
const SILENCE_MS = 150;

export interface Contest {
  readonly contenders: readonly Contender[];
  readonly workers: number;
  readonly close?: boolean;
  /** Server and client on a CPU each; not for several workers, which need all there are. */
  readonly pinned?: boolean;
}

export async function contest(
  bench: Bench,
  { contenders, workers, close = false, pinned = false }: Contest,
): Promise<Sample[]> {
  const { server, client } = pinned ? bench.cpus : { server: undefined, client: undefined };
  const rounds = bench.quick ? 2 : 5;
  const seconds = bench.quick ? 1 : 3;
  const entrants: Entrant[] = [];
  try {
    for (const contender of contenders) {
      entrants.push({
        contender,
        running: await launch(contender, { node: bench.node, workers, cpu: server }),
      });
    }
    await refuseUnequalWork(entrants);
    const samples: Sample[] = [];
    for (let round = -1; round < rounds; round++) {
      for (const entrant of turns(entrants, round)) {
        const load = { port: entrant.running.port, seconds, connections: CONNECTIONS, close, cpu: client };
        const sample = await measureAgain(entrant, round, load);
        // The round before the first lets everybody's code be compiled.
        if (round >= 0) samples.push(sample);
        bench.tell(
          `round ${round + 1}/${rounds} ${entrant.contender.label}: ${Math.round(sample.values['rps'] ?? 0)} requests/s`,
        );
      }
    }
    return samples;
  } finally {
    for (const { running } of entrants) await running.stop();
  }
}

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
async function measureAgain(entrant: Entrant, round: number, load: Load): Promise<Sample> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const sample = await measure(entrant, round, load);
    if (sample.values['rps'] !== 0) return sample;
  }
  throw new Error(`${entrant.contender.label} answered nothing in ${ATTEMPTS} rounds`);
}

async function measure({ contender, running }: Entrant, round: number, load: Load): Promise<Sample> {
  const workers = running.workers();
  const supervisor = running.supervisor();
  running.log.empty();
  const before = clocks(workers, supervisor);
  const { requests, perSecond, p50Ms, p99Ms, errors } = await wrk(load);
  const after = clocks(workers, supervisor);
  const spent = (clock: keyof Clocks): number => after[clock] - before[clock];
  if (errors > 0) throw new Error(`${contender.label} failed ${errors} of ${requests} requests`);

  const served = spent('workers') + spent('supervisor');
  const logged =
    contender.floor === true ? 0 : await logOf(contender, running.log, requests, load.connections);
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
async function logOf(
  { label }: Contender,
  log: LogFile,
  requests: number,
  connections: number,
): Promise<number> {
  const deadline = performance.now() + LOG_LAG_MS;
  let found = log.count();
  // The requests in flight at the end are still answered, and no line of theirs may fall into the next round.
  for (let before = -1; found.lines < requests || found.bytes !== before; found = log.count()) {
    if (performance.now() > deadline) break;
    before = found.bytes;
    await sleep(SILENCE_MS);
  }
  const { lines, bytes } = found;
  refuseUnequalLogs(label, lines, requests, connections);
  log.empty();
  return bytes;
}
