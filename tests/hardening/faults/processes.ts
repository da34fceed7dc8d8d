/** Processes that are killed, stopped and continued. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { isAlive, until } from '../../support/processes.js';
import { HELD, HOLD_MS, NONE_SERVED, type Excuse, type Fault, type Trial } from './fault.js';

/** Kills a worker that serves, and records which connections it held. */
export async function killOne({ service }: Trial): Promise<void> {
  const [pid] = service.workers();
  if (pid === undefined) throw new Error('no worker runs');
  service.failing.inject(pid, 'SIGKILL');
  await until(() => !isAlive(pid), 'the worker is dead');
}

/** Kills one while a fault goes on. */
export async function killMeanwhile(trial: Trial): Promise<void> {
  await killOne(trial);
  await pause(HOLD_MS);
}

/** What the kill of a worker may cost, and what the log says of it. */
export const KILLED = {
  mayFail: HELD,
  logged: { native: /^Worker \d+ exited \(signal SIGKILL\)/ },
} satisfies Partial<Fault>;

/** Another worker every 100 ms, for so long. */
async function killAgainAndAgain({ service }: Trial, ms: number): Promise<void> {
  const end = performance.now() + ms;
  for (let number = 0; performance.now() < end; number++) {
    const pids = service.workers().toSorted((one, other) => one - other);
    const pid = pids[number % Math.max(1, pids.length)];
    if (pid !== undefined && isAlive(pid)) service.failing.inject(pid, 'SIGKILL');
    await pause(100);
  }
}

const signalAll = (pids: readonly number[], signal: NodeJS.Signals): void => {
  for (const pid of pids) process.kill(pid, signal);
};

/** Always continues them. */
async function stopped(pids: readonly number[], ms: number): Promise<void> {
  signalAll(pids, 'SIGSTOP');
  try {
    await pause(ms);
  } finally {
    signalAll(pids.filter(isAlive), 'SIGCONT');
  }
}

/** No worker lives long enough to serve: connections wait in the kernel, some too long, and none is refused. */
const NOT_REFUSED: Excuse = {
  what: 'connections of killed workers, or unanswered for 15 s',
  unexcused: (lost, trial) => HELD.unexcused(lost, trial).filter(({ kind }) => kind !== 'timed out'),
};

/** The service, all of its processes. */
const everyone = ({ service }: Trial): number[] => [service.pid, ...service.workers()];

export const PROCESSES: readonly Fault[] = [
  {
    name: 'worker-killed',
    what: 'A worker is killed (SIGKILL)',
    under: ['native', 'PM2'],
    inflict: killOne,
    ...KILLED,
    healsWithinMs: 5_000,
    heals: 'its successor serves',
  },
  {
    name: 'killed-every-100-ms',
    what: 'A worker is killed every 100 ms, for a minute',
    under: ['native'],
    inflict: trial => killAgainAndAgain(trial, 60_000),
    mayFail: NOT_REFUSED,
    slowestMs: 16_000,
    logged: KILLED.logged,
    healsWithinMs: 30_000,
    heals: 'after the backoff, 15 s at most',
  },
  {
    name: 'worker-stopped',
    what: 'A worker is stopped for 10 s (SIGSTOP, SIGCONT)',
    under: ['native', 'PM2'],
    inflict: ({ service }) => stopped(service.workers().slice(0, 1), 10_000),
    slowestMs: 12_000,
    logged: { native: /^Worker \d+ hangs/ },
    healsWithinMs: 5_000,
    heals: 'it goes on',
  },
  {
    name: 'supervisor-stopped',
    what: 'The supervisor is stopped for 10 s; a worker is killed meanwhile',
    under: ['native', 'PM2'],
    async inflict(trial) {
      const stop = stopped([trial.service.pid], 10_000);
      await killOne(trial);
      await stop;
    },
    ...KILLED,
    slowestMs: 12_000,
    healsWithinMs: 5_000,
    heals: 'the worker is replaced when the supervisor goes on',
  },
  {
    name: 'all-stopped',
    what: 'All processes are stopped for 10 s, as when the machine is suspended',
    under: ['native', 'alone'],
    inflict: trial => stopped([...new Set(everyone(trial))], 10_000),
    slowestMs: 12_000,
    healsWithinMs: 5_000,
    heals: 'all go on',
  },
  {
    name: 'supervisor-killed',
    what: 'The supervisor is killed (SIGKILL) and started again',
    under: ['native'],
    setting: () => ({ env: { WORKER_LOG_LEVEL: 'info' } }),
    async inflict(trial) {
      const { service } = trial;
      const workers = service.workers();
      trial.gone();
      process.kill(service.pid, 'SIGKILL');
      await service.ended();
      await until(() => !workers.some(isAlive), 'the workers have drained');
      await service.start();
    },
    mayFail: NONE_SERVED,
    logged: { native: /supervisor lost/ },
    healsWithinMs: 10_000,
    heals: 'the workers drain and free the port',
  },
  {
    name: 'port-taken',
    what: 'Another program takes the port while the service restarts',
    under: ['native'],
    async inflict(trial) {
      const { service, expect } = trial;
      trial.gone();
      await service.stop();
      const other = createServer(socket => socket.destroy()).listen(service.port);
      await once(other, 'listening');
      await service.start();
      const code = await service.ended();
      expect(code === EXIT.portTaken, `it exited with ${code}, expected ${EXIT.portTaken}`);
      other.close();
      await once(other, 'close');
      await service.start();
    },
    mayFail: NONE_SERVED,
    logged: { native: /^Port \d+ is already in use by pid \d+/ },
    healsWithinMs: 10_000,
    heals: 'the next start succeeds',
  },
];
