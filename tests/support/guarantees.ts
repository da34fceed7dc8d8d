/**
 * The guarantees to clients: each entry is an event, and the load under which it must cost no request. The tests check
 * each event a few times; `yarn soak guarantees` checks it many times and measures what clients notice.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ListenerMode } from '../../src/supervisor/processes/listener.js';
import { canReusePort } from '../../src/supervisor/processes/tcp-handles.js';
import { Pm2 } from './pm2.js';
import { folder, freePort, isAlive, until } from './processes.js';
import { activated, control, messages, service, serving, statusOf, type Service } from './service.js';
import { strictClient, type ClientOptions, type Report, type StrictClient } from './strict-client.js';
import { GROWTH_LIMIT, FailingWorkers, type Judgement } from './failing-workers.js';

/** A running service, and the event that is caused. */
interface Target {
  readonly port: number;
  /** Causes the event, and resolves when its consequences are over. @param time 0 for the first time, 1 for the second, … */
  cause(time: number): Promise<void>;
  close(): Promise<void>;
}

export interface Guarantee {
  /** The event. */
  readonly name: string;
  /** How often it is caused in a test, and how often in a soak. */
  readonly times: readonly [few: number, many: number];
  readonly load: Omit<ClientOptions, 'port'>;
  readonly mode: ListenerMode;
  /** The event ends the service, so later requests are refused. */
  readonly endsService: boolean;
  start(failing: FailingWorkers): Promise<Target>;
}

export interface Measurement extends Report, Judgement {
  readonly name: string;
  readonly mode: ListenerMode;
  readonly times: number;
  /** For each time: the longest time between two answers. */
  readonly gapsMs: readonly number[];
  /** The longest time from opening a connection until a worker accepted it. */
  readonly longestWaitMs: number;
  /** The longest time until the consequences of the event were over. */
  readonly longestEventMs: number;
}

/** Causes the event this many times under load. The guarantee holds if {@link Measurement.unexcused} is empty. */
export async function check(guarantee: Guarantee, times: number): Promise<Measurement> {
  const rounds = guarantee.endsService ? Array.from({ length: times }, () => 1) : [times];
  const all: Measurement[] = [];
  for (const round of rounds) all.push(await checkOneService(guarantee, round));
  return all.reduce(sumOf);
}

async function checkOneService(guarantee: Guarantee, times: number): Promise<Measurement> {
  const { name, mode, load, endsService } = guarantee;
  const failing = new FailingWorkers(folder());
  const target = await guarantee.start(failing);
  const client = strictClient({ port: target.port, ...load });
  let longestEventMs = 0;
  let stoppedAt = Infinity;
  const gapsMs: number[] = [];
  try {
    await untilLoaded(client);
    client.takeLongestGapMs(); // discards the gap before the first answers
    for (let time = 0; time < times; time++) {
      const begun = performance.now();
      if (endsService) stoppedAt = Date.now();
      await target.cause(time);
      longestEventMs = Math.max(longestEventMs, performance.now() - begun);
      if (!endsService) await untilLoaded(client);
      gapsMs.push(client.takeLongestGapMs());
    }
  } finally {
    await client.stop();
    await target.close();
  }
  const report = await client.stop();
  return {
    ...report,
    ...failing.judge(report, { stoppedAt, mayHang: mode === 'cluster' }),
    name,
    mode,
    times,
    gapsMs,
    longestWaitMs: failing.longestWaitMs(report.connections),
    longestEventMs,
  };
}

/** Resolves after enough requests to show that the service answers every kind of client. */
async function untilLoaded(client: StrictClient): Promise<void> {
  const { sent } = client;
  await until(() => client.sent > sent + 50, 'the client sends requests');
}

function sumOf(one: Measurement, other: Measurement): Measurement {
  const kinds = [...Object.entries(one.failures), ...Object.entries(other.failures)];
  const failures: Record<string, number> = {};
  for (const [kind, count] of kinds) failures[kind] = (failures[kind] ?? 0) + count;
  return {
    ...one,
    failures,
    times: one.times + other.times,
    gapsMs: [...one.gapsMs, ...other.gapsMs],
    sent: one.sent + other.sent,
    answered: one.answered + other.answered,
    held: one.held + other.held,
    late: one.late + other.late,
    lost: [...one.lost, ...other.lost],
    unexcused: [...one.unexcused, ...other.unexcused],
    connections: [...one.connections, ...other.connections],
    examples: [...one.examples, ...other.examples].slice(0, 10),
    longestMs: Math.max(one.longestMs, other.longestMs),
    longestGapMs: Math.max(one.longestGapMs, other.longestGapMs),
    longestWaitMs: Math.max(one.longestWaitMs, other.longestWaitMs),
    longestEventMs: Math.max(one.longestEventMs, other.longestEventMs),
  };
}

/** Kept-alive connections, one new connection every 8 ms, and requests that take a second. */
const MIXED = { keptAlive: 8, newEveryMs: 8, long: 3, timeoutMs: 15_000 };

/** One new connection every 3 ms, and two kept-alive ones. */
const DENSE = { keptAlive: 2, newEveryMs: 3, timeoutMs: 15_000 };

interface Context {
  readonly running: Service;
  readonly failing: FailingWorkers;
  /** The folder of the app file. */
  readonly folder: string;
}

interface NativeOptions
  extends Partial<Pick<Guarantee, 'load' | 'mode' | 'endsService'>>, Pick<Guarantee, 'name' | 'times'> {
  readonly workers: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly fields?: object;
  /** The listening socket is passed to the supervisor, as systemd does it. */
  readonly isActivated?: boolean;
  cause(context: Context, time: number): Promise<void>;
}

const OWN_MODE: ListenerMode = canReusePort(process.versions.node, process.platform) ? 'per-slot' : 'shared';

function native({
  workers,
  env = {},
  fields = {},
  isActivated = false,
  cause,
  ...guarantee
}: NativeOptions): Guarantee {
  return {
    load: MIXED,
    mode: OWN_MODE,
    endsService: false,
    ...guarantee,
    async start(failing) {
      const file = failing.appFile(fields);
      const startService = isActivated ? activated : service;
      const running = await startService({ workers, env, args: ['--config', file] });
      return {
        port: running.port,
        cause: time => cause({ running, failing, folder: join(file, '..') }, time),
        close: () => stop(running),
      };
    },
  };
}

/** Also for a service that has ended. */
async function stop(running: Service): Promise<void> {
  running.kill('SIGTERM');
  await running.ended;
}

/** Uptime of a worker that is stable for certain: a boot, and several times {@link SOON_STABLE}. */
const STABLE_MS = 500;

/** Resolves when the supervisor has noticed that these are gone, and this many stable workers serve. */
async function untilReplaced(running: Service, workers: number, gone: readonly number[]): Promise<void> {
  await until(
    async () => {
      const now = (await statusOf(running)).workers.filter(({ state }) => state === 'ready');
      return (
        now.length === workers &&
        now.every(({ pid, uptime }) => !gone.includes(pid ?? NaN) && (uptime ?? 0) >= STABLE_MS)
      );
    },
    `${workers} stable workers serve, and ${gone.join(', ')} are gone`,
  );
}

async function command(running: Service, path: string, body?: object): Promise<void> {
  const { status, text } = await control(running, 'POST', path, body && JSON.stringify(body));
  if (status !== 200) throw new Error(`${path} failed: ${text}`);
}

/** Workers are stable soon: the successor of a stable worker starts at once, and a canary is trusted. */
const SOON_STABLE = { min_uptime: 100 };

interface FailureOptions extends Omit<NativeOptions, 'cause'> {
  /** How many workers fail at the same time. */
  readonly together?: number;
}

function workerFailure({ workers, together = 1, ...guarantee }: FailureOptions): Guarantee {
  return native({
    load: DENSE,
    fields: SOON_STABLE,
    workers,
    ...guarantee,
    async cause({ running, failing }, time) {
      const pids = await serving(running);
      const victims = Array.from({ length: together }, (_, next) => pids[(time + next) % workers] ?? NaN);
      for (const victim of victims) failing.inject(victim, time % 2 === 0 ? 'SIGKILL' : 'exit');
      await untilReplaced(running, workers, victims);
    },
  });
}

/** The only worker drains without an order; its successor must be forked at once, not after the drain. */
function drainWithoutOrder(name: string, trigger: (failing: FailingWorkers, pid: number) => void): Guarantee {
  return native({
    name,
    workers: 1,
    times: [1, 10],
    fields: SOON_STABLE,
    async cause({ running, failing }, time) {
      const [pid = NaN] = await serving(running);
      trigger(failing, pid);
      await untilReplaced(running, 1, [pid]);
      const gone = await running.said(new RegExp(`^Worker ${pid} (exited|disconnected)`));
      const before = running.lines.slice(0, running.lines.indexOf(gone));
      if (before.filter(({ msg }) => msg.startsWith('Forking worker')).length !== time + 2)
        throw new Error('its successor was not forked before it exited');
    },
  });
}

const reload = (options: Omit<NativeOptions, 'cause' | 'workers'>): Guarantee =>
  native({
    workers: 2,
    fields: SOON_STABLE,
    ...options,
    cause: ({ running }) => command(running, '/reload'),
  });

/** Resolves when a reload without a command is over. @param trigger called again until the reload has begun */
async function untilReloaded(running: Service, trigger: () => void = () => undefined): Promise<void> {
  const finished = (): number => messages(running).filter(line => line === 'Reload finished').length;
  const [{ generation }, before] = [await statusOf(running), finished()];
  let triggeredAt = -Infinity;
  await until(async () => {
    if (performance.now() - triggeredAt > 400) {
      trigger();
      triggeredAt = performance.now();
    }
    return (await statusOf(running)).generation > generation;
  }, 'a new generation serves');
  await until(() => finished() > before, 'the reload has finished');
}

const WITHOUT_HANDLES = join(__dirname, 'without-handles.cjs');

export const NATIVE: readonly Guarantee[] = [
  workerFailure({ name: 'exit or SIGKILL of the only worker', workers: 1, times: [4, 20] }),
  workerFailure({ name: 'exit or SIGKILL of 1 of 2 workers', workers: 2, times: [4, 20] }),
  workerFailure({
    name: 'exit or SIGKILL of 2 of 4 workers at once',
    workers: 4,
    times: [2, 20],
    together: 2,
  }),
  workerFailure({
    name: 'exit or SIGKILL of the only worker, HOST=127.0.0.1',
    workers: 1,
    times: [2, 20],
    env: { HOST: '127.0.0.1' },
  }),
  workerFailure({
    name: 'exit or SIGKILL of the only worker, HOST=::',
    workers: 1,
    times: [2, 20],
    env: { HOST: '::' },
  }),
  workerFailure({
    name: 'exit or SIGKILL of the only worker, socket activation',
    workers: 1,
    times: [2, 20],
    mode: 'shared',
    isActivated: true,
  }),
  native({
    name: '1 of 2 workers hangs and is killed after 0.5 s',
    workers: 2,
    times: [1, 10],
    load: DENSE,
    fields: SOON_STABLE,
    async cause({ running, failing }, time) {
      const pid = (await serving(running))[time % 2] ?? NaN;
      failing.inject(pid, 'SIGSTOP');
      await until(() => failing.hasRecorded(pid), 'the worker hangs');
      await new Promise(resolve => setTimeout(resolve, 500)); // how long it hangs
      process.kill(pid, 'SIGKILL');
      await untilReplaced(running, 2, [pid]);
    },
  }),
  drainWithoutOrder('uncaught exception in the only worker', (failing, pid) => failing.inject(pid, 'throw')),
  drainWithoutOrder('SIGTERM to the only worker', (_stunts, pid) => process.kill(pid, 'SIGTERM')),
  reload({ name: 'reload', times: [2, 20] }),
  reload({ name: 'reload, socket activation', times: [1, 5], mode: 'shared', isActivated: true }),
  reload({
    name: 'reload, NODE_CLUSTER_SCHED_POLICY=rr',
    times: [1, 5],
    mode: 'cluster',
    env: { NODE_CLUSTER_SCHED_POLICY: 'rr' },
  }),
  reload({
    name: 'reload, NODE_CLUSTER_SCHED_POLICY=none',
    times: [1, 5],
    mode: 'cluster',
    env: { NODE_CLUSTER_SCHED_POLICY: 'none' },
  }),
  reload({
    name: 'reload, fallback to node:cluster',
    times: [1, 5],
    mode: 'cluster',
    env: { NODE_OPTIONS: `--require ${WITHOUT_HANDLES}` },
  }),
  native({
    name: 'reload by watch',
    workers: 2,
    times: [1, 5],
    fields: { ...SOON_STABLE, watch: ['app.js'], watch_delay: 100 },
    cause: ({ running, folder: at }) =>
      untilReloaded(running, () => appendFileSync(join(at, 'app.js'), '//\n')),
  }),
  native({
    name: 'reload by cron',
    workers: 2,
    times: [1, 5],
    fields: { ...SOON_STABLE, cron_restart: '*/6 * * * * *' },
    cause: ({ running }) => untilReloaded(running),
  }),
  native({
    name: 'scaling 2 → 4 → 1 → 3',
    workers: 2,
    times: [1, 5],
    async cause({ running }) {
      for (const instances of [2, 4, 1, 3]) await command(running, '/scale', { instances });
    },
  }),
  native({
    name: 'memory above max_memory_restart',
    workers: 2,
    times: [1, 2],
    fields: { max_memory_restart: GROWTH_LIMIT },
    async cause({ running, failing }, time) {
      const pid = (await serving(running))[time] ?? NaN;
      failing.inject(pid, 'grow');
      await untilReplaced(running, 2, [pid]);
      await until(() => !isAlive(pid), 'the worker has exited');
    },
  }),
  native({
    name: 'SIGTERM to the supervisor',
    workers: 2,
    times: [1, 5],
    endsService: true,
    async cause({ running }) {
      running.kill('SIGTERM');
      const { code, signal } = await running.ended;
      if (code !== 0) throw new Error(`SIGTERM ended the service with ${code ?? signal}`);
    },
  }),
  native({
    name: 'SIGKILL of the supervisor',
    workers: 2,
    times: [1, 5],
    endsService: true,
    async cause({ running }) {
      const pids = await serving(running);
      running.kill('SIGKILL');
      await until(() => !pids.some(isAlive), 'every worker has exited');
    },
  }),
];

function underPm2(
  guarantee: Pick<Guarantee, 'name' | 'times'> & { readonly endsService?: boolean },
  cause: (pm2: (...args: string[]) => Promise<void>) => Promise<void>,
): Guarantee {
  return {
    load: { ...MIXED, timeoutMs: 5_000 },
    mode: 'cluster',
    endsService: false,
    ...guarantee,
    async start(failing) {
      const port = await freePort();
      const pm2 = new Pm2({ PORT: String(port), WEB_CONCURRENCY: '2' });
      async function run(...args: string[]): Promise<void> {
        const { code, text } = await pm2.run(...args);
        if (code !== 0) throw new Error(`pm2 ${args.join(' ')} failed: ${text}`);
      }
      await run('start', failing.appFile()).catch(async (error: Error) => {
        await pm2.end();
        throw error;
      });
      return { port, cause: () => cause(run), close: () => pm2.end() };
    },
  };
}

const APP = 'cabe-arena-api';

export const PM2: readonly Guarantee[] = [
  underPm2({ name: 'pm2 reload', times: [1, 10] }, run => run('reload', APP)),
  underPm2({ name: 'pm2 scale 2 → 4 → 1 → 3', times: [1, 5] }, async run => {
    // PM2 refuses to scale to the current number.
    for (const instances of ['4', '1', '3', '2']) await run('scale', APP, instances);
  }),
  underPm2({ name: 'pm2 stop', times: [1, 5], endsService: true }, run => run('stop', APP)),
];
