/** Limits of the system that are reached: descriptors, processes, file size, memory, CPU. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeControlGroup, type Limit } from '../../support/control-group.js';
import { withoutDescriptors } from '../../support/descriptors.js';
import { until } from '../../support/processes.js';
import type { Lost } from '../../support/failures.js';
import { HELD, HOLD_MS, type Excuse, type Fault, type Trial } from './fault.js';
import { killMeanwhile } from './processes.js';
import type { Setting } from './service.js';

const MB = 2 ** 20;

/** Removed again at once: whether this machine lets us make such a group. */
const needsGroup = (limit: Limit) => (): string | undefined => {
  const group = makeControlGroup(limit);
  if (group === undefined) return `needs a control group (root, and a writable /sys/fs/cgroup)`;
  void group.remove();
  return undefined;
};

const inGroup = (limit: Limit) => (): Setting => {
  const group = makeControlGroup(limit);
  if (group === undefined) throw new Error('this machine makes no control group any more');
  return { group };
};

/** Node accepts such connections and closes them. */
const CLOSED: Excuse = {
  what: 'new connections to a worker without descriptors',
  unexcused: (lost: readonly Lost[]) => lost.filter(({ kind }) => kind !== 'reset'),
};

/** More connections than a worker may have descriptors. */
async function idleConnections({ service }: Trial, count: number): Promise<void> {
  const sockets = Array.from({ length: count }, () =>
    connect(service.port, '127.0.0.1').on('error', () => undefined),
  );
  await pause(HOLD_MS);
  for (const socket of sockets) socket.destroy();
}

const OUT_OF_DESCRIPTORS = /^Worker \d+ closes new connections without an answer: too many open files/;

export const LIMITS: readonly Fault[] = [
  {
    name: 'too-many-connections',
    what: '400 idle connections for 3 s, and every process may have 100 open files (`ulimit -n 100`)',
    under: ['native', 'alone'],
    setting: () => ({ launcher: ['sh', '-c', 'ulimit -n 100; exec "$@"', 'sh'] }),
    inflict: trial => idleConnections(trial, 400),
    mayFail: CLOSED,
    logged: { native: OUT_OF_DESCRIPTORS, alone: OUT_OF_DESCRIPTORS },
    healsWithinMs: 5_000,
    heals: 'it accepts again',
  },
  {
    name: 'descriptors-of-worker',
    what: 'A worker may open no more files (EMFILE) for 3 s',
    under: ['native', 'alone'],
    inflict: ({ service }) => withoutDescriptors(service.workers()[0] ?? 0, () => pause(HOLD_MS)),
    logged: { native: OUT_OF_DESCRIPTORS, alone: OUT_OF_DESCRIPTORS },
    healsWithinMs: 5_000,
    heals: 'it accepts again; connections wait meanwhile',
  },
  {
    name: 'descriptors-of-supervisor',
    what: 'The supervisor may open no more files (EMFILE) for 3 s; a worker is killed meanwhile',
    under: ['native'],
    inflict: trial => withoutDescriptors(trial.service.pid, () => killMeanwhile(trial)),
    mayFail: HELD,
    logged: { native: /EMFILE/ },
    healsWithinMs: 10_000,
    heals: 'after the backoff',
  },
  {
    name: 'no-process',
    what: 'No process may be started (EAGAIN) for 3 s; a worker is killed meanwhile',
    under: ['native'],
    needs: needsGroup({ tasks: 'max' }),
    setting: inGroup({ tasks: 'max' }),
    async inflict(trial) {
      const { group } = trial.service.setting;
      group?.limit({ tasks: 1 });
      await killMeanwhile(trial);
      group?.limit({ tasks: 'max' });
    },
    mayFail: HELD,
    logged: { native: /EAGAIN/ },
    healsWithinMs: 20_000,
    heals: 'after the backoff',
  },
  {
    name: 'log-file-size',
    what: 'The log file has reached the limit of its size (`ulimit -f`)',
    under: ['native', 'alone'],
    setting: folder => ({
      launcher: ['sh', '-c', 'ulimit -f 64; exec >> "$0"; exec "$@"', join(folder, 'log')],
      logFile: join(folder, 'log'),
      env: { WORKER_LOG_LEVEL: 'info' },
    }),
    inflict: () => pause(HOLD_MS),
    logged: { native: /^Log lines are lost: EFBIG/, alone: /^Log lines are lost: EFBIG/ },
    healsWithinMs: 2_000,
    heals: 'not needed: lines are lost, requests are not',
  },
  {
    name: 'out-of-memory',
    what: 'A worker takes the memory of its control group, and the kernel kills it',
    under: ['native', 'PM2'],
    needs: needsGroup({ memory: 400 * MB }),
    setting: inGroup({ memory: 400 * MB }),
    async inflict({ service }) {
      const [pid = 0] = service.workers();
      service.failing.inject(pid, 'devour');
      await until(() => !service.workers().includes(pid), 'the kernel has killed the worker');
    },
    mayFail: HELD,
    logged: { native: /was killed by the kernel: out of memory/ },
    healsWithinMs: 5_000,
    heals: 'its successor serves',
  },
  {
    name: 'cpu-starved',
    what: 'The service gets a fifth of one core for 8 s',
    under: ['native', 'PM2', 'alone'],
    needs: needsGroup({ cpu: 400 }),
    setting: inGroup({ cpu: 400 }),
    async inflict({ service }) {
      service.setting.group?.limit({ cpu: 20 });
      await pause(8_000);
      service.setting.group?.limit({ cpu: 400 });
    },
    slowestMs: 20_000,
    healsWithinMs: 10_000,
    heals: 'it catches up',
  },
];
