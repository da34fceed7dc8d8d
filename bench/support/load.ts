/** Rounds under load: requests per second and CPU time of each contender in turn. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './section.js';
import { withRunning, type Contender, type Running } from './contenders.js';
import {
  observe,
  requireOneLinePerRequest,
  requireEqualWork,
  type RunningContender,
  type Work,
} from './equal.js';
import { measureOtherLoad } from './other-load.js';
import { cpuMs, machineCpuMs, ownCpuMs } from './proc.js';
import type { LogFile } from './processes.js';
import { inTurns, type Sample } from './rounds.js';
import { wrk, type Load } from './wrk.js';

export const CONNECTIONS = 64;

const ATTEMPTS = 3;

/** How long log lines may be late. */
const LOG_LAG_MS = 5_000;

/** A log that has not grown for this time is complete. */
const LOG_IDLE_MS = 100;

/** Time for Node to compile the most frequent code of a new process. */
const WARM_UP_S = 1;

export interface Entry {
  readonly contender: Contender;
  readonly workers: number;
  /** Takes part in the first round only. */
  readonly once?: boolean;
  /** What its requests carry. */
  readonly headers?: readonly string[];
}

export interface Comparison {
  readonly entries: readonly Entry[];
  readonly rounds: number;
  readonly seconds: number;
  /** Seconds of load before the measurement. */
  readonly warmUpS?: number;
  readonly close?: boolean;
  /** Server and client on a CPU each; not with several workers, which need all CPUs. */
  readonly pinned?: boolean;
  /** Measured before the load. */
  readonly extra?: (running: Running) => Promise<Readonly<Record<string, number>>>;
}

/**
 * Every round launches each contender again, one after another: two processes of the same program can differ more than two
 * programs do.
 */
export async function compareUnderLoad(bench: Bench, what: Comparison): Promise<Sample[]> {
  const { entries, rounds, seconds, warmUpS = WARM_UP_S, close = false, pinned = false } = what;
  const { server, client } = pinned ? bench.cpus : { server: undefined, client: undefined };
  const samples: Sample[] = [];
  const works = new Map<Contender, Work>();
  for (let round = 0; round < rounds; round++) {
    for (const { contender, workers, headers = [] } of inTurns(entriesOf(entries, round), round)) {
      const sample = await withRunning(
        contender,
        { node: bench.node, workers, cpu: server },
        async running => {
          const one = { contender, running };
          if (!works.has(contender)) works.set(contender, await observe(one));
          const others = measureOtherLoad([running]);
          const extra = await what.extra?.(running);
          const foreign = others([running]);
          const load = { port: running.port, seconds, connections: CONNECTIONS, close, cpu: client, headers };
          await measure(one, round, { ...load, seconds: warmUpS });
          const measured = await measureUntilAnswered(one, round, load);
          return {
            ...measured,
            x: workers,
            foreign: Math.max(measured.foreign, extra === undefined ? 0 : foreign),
            values: { ...measured.values, ...extra },
          };
        },
      );
      samples.push(sample);
      bench.log(
        `round ${round + 1}/${rounds} ${contender.label}, ${workers} ${workers === 1 ? 'worker' : 'workers'}: ${Math.round(sample.values.rps)} requests/s`,
      );
    }
    if (round === 0) requireEqualWork(works);
  }
  return samples;
}

const entriesOf = (entries: readonly Entry[], round: number): readonly Entry[] =>
  round === 0 ? entries : entries.filter(({ once }) => once !== true);

/** CPU times and wall time, in ms, read before and after a round. */
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

/** Repeats a round without any answer, which happens on an overloaded machine. */
async function measureUntilAnswered(one: RunningContender, round: number, load: Load): Promise<Measured> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const sample = await measure(one, round, load);
    if (sample.values.rps !== 0) return sample;
  }
  throw new Error(`no request was answered in ${ATTEMPTS} rounds`);
}

type Measured = Awaited<ReturnType<typeof measure>>;

async function measure({ contender, running }: RunningContender, round: number, load: Load) {
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
 * Checks the number of log lines of a round, and empties the log.
 * @returns its size in bytes
 */
async function logOf(log: LogFile, requests: number, connections: number): Promise<number> {
  const deadline = performance.now() + LOG_LAG_MS;
  let found = log.count();
  // Requests in flight at the end are still answered; their lines must not be counted in the next round.
  for (let before = -1; found.lines < requests || found.bytes !== before; found = log.count()) {
    if (performance.now() > deadline) break;
    before = found.bytes;
    await sleep(LOG_IDLE_MS);
  }
  const { lines, bytes } = found;
  requireOneLinePerRequest(lines, requests, connections);
  log.empty();
  return bytes;
}
