/**
 * What is promised to clients, a promise an entry: what happens to a service, and under which load. The tests keep
 * each a few times; `yarn soak promises` keeps it many times, and measures what clients see of it.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { canReusePort, type ListenerMode } from '../../src/supervisor/processes/listener.js';
import { Pm2 } from './pm2.js';
import { folder, freePort, isAlive, until } from './processes.js';
import { activated, control, messages, service, serving, statusOf, type Service } from './service.js';
import { strictClient, type ClientOptions, type Report, type StrictClient } from './strict-client.js';
import { GROWTH_LIMIT, Stunts, type Fall, type Judgement } from './stunts.js';

/** A service that runs, and what is to happen to it. */
interface Scene {
  readonly port: number;
  /** Happens once, and again. */
  perform(time: number): Promise<void>;
  close(): Promise<void>;
}

export interface Promised {
  readonly name: string;
  /** How often it happens in a test, and how often in a soak. */
  readonly times: readonly [few: number, many: number];
  readonly load: Omit<ClientOptions, 'port'>;
  readonly mode: ListenerMode;
  /** The service is over afterwards: clients may come too late. */
  readonly isLast: boolean;
  open(stunts: Stunts): Promise<Scene>;
}

export interface Kept extends Report, Judgement {
  readonly name: string;
  readonly mode: ListenerMode;
  readonly times: number;
  /** The longest time between two answers, of each time that it happened. */
  readonly gapsMs: readonly number[];
  /** The longest time from opening a connection until a worker accepted it. */
  readonly longestWaitMs: number;
  /** The longest time that it took to happen. */
  readonly longestActionMs: number;
}

/** Keeps a promise so often under load. What is in {@link Kept.unexcused} breaks it. */
export async function keep(promise: Promised, times: number): Promise<Kept> {
  const rounds = promise.isLast ? Array.from({ length: times }, () => 1) : [times];
  const all: Kept[] = [];
  for (const round of rounds) all.push(await keepOnce(promise, round));
  return all.reduce(sumOf);
}

async function keepOnce({ name, mode, load, isLast, open }: Promised, times: number): Promise<Kept> {
  const stunts = new Stunts(folder());
  const scene = await open(stunts);
  const client = strictClient({ port: scene.port, ...load });
  let longestActionMs = 0;
  let stoppedAt = Infinity;
  const gapsMs: number[] = [];
  try {
    await thereIsLoad(client);
    client.takeLongestGapMs(); // that of a client that has only begun
    for (let time = 0; time < times; time++) {
      const begun = performance.now();
      if (isLast) stoppedAt = Date.now();
      await scene.perform(time);
      longestActionMs = Math.max(longestActionMs, performance.now() - begun);
      if (!isLast) await thereIsLoad(client);
      gapsMs.push(client.takeLongestGapMs());
    }
  } finally {
    await client.stop();
    await scene.close();
  }
  const report = await client.stop();
  return {
    ...report,
    ...stunts.judge(report, { stoppedAt, mayHang: mode === 'cluster' }),
    name,
    mode,
    times,
    gapsMs,
    longestWaitMs: stunts.longestWaitMs(report.connections),
    longestActionMs,
  };
}

/** Enough answers to tell that it serves everybody. */
async function thereIsLoad(client: StrictClient): Promise<void> {
  const { sent } = client;
  await until(() => client.sent > sent + 50, 'there is load');
}

function sumOf(one: Kept, other: Kept): Kept {
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
    longestActionMs: Math.max(one.longestActionMs, other.longestActionMs),
  };
}

/** Keep-alive and one-connection-per-request side by side, and requests that take a second. */
const MIXED = { keptAlive: 8, newEveryMs: 8, long: 3, timeoutMs: 15_000 };

/** One new connection every 3 ms, and a few that are kept. */
const DENSE = { keptAlive: 2, newEveryMs: 3, timeoutMs: 15_000 };

interface Stage {
  readonly running: Service;
  readonly stunts: Stunts;
  /** The folder of the app file. */
  readonly at: string;
}

interface Native
  extends Partial<Pick<Promised, 'load' | 'mode' | 'isLast'>>, Pick<Promised, 'name' | 'times'> {
  readonly workers: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly fields?: object;
  /** On a socket that is handed over, as systemd does it. */
  readonly isActivated?: boolean;
  perform(stage: Stage, time: number): Promise<void>;
}

const OWN_MODE: ListenerMode = canReusePort(process.versions.node, process.platform) ? 'per-slot' : 'shared';

function native({
  workers,
  env = {},
  fields = {},
  isActivated = false,
  perform,
  ...promise
}: Native): Promised {
  return {
    load: MIXED,
    mode: OWN_MODE,
    isLast: false,
    ...promise,
    async open(stunts) {
      const file = stunts.appFile(fields);
      const begin = isActivated ? activated : service;
      const running = await begin({ workers, env, args: ['--config', file] });
      return {
        port: running.port,
        perform: time => perform({ running, stunts, at: join(file, '..') }, time),
        close: () => stop(running),
      };
    },
  };
}

/** Ends what may have ended already; nothing is left. */
async function stop(running: Service): Promise<void> {
  running.kill('SIGTERM');
  await running.ended;
}

/** From the fork on: a boot, and a multiple of {@link AT_ONCE}. Who falls earlier is replaced after a delay. */
const STABLE_MS = 500;

/** Resolves when the supervisor knows that these are gone, and so many workers serve that are stable by now. */
async function replaced(running: Service, workers: number, gone: readonly number[]): Promise<void> {
  await until(
    async () => {
      const now = (await statusOf(running)).workers.filter(({ state }) => state === 'ready');
      return (
        now.length === workers &&
        now.every(({ pid, uptime }) => !gone.includes(pid ?? NaN) && (uptime ?? 0) >= STABLE_MS)
      );
    },
    `${workers} workers serve and are stable, and ${gone.join(', ')} are gone`,
  );
}

async function ordered(running: Service, path: string, body?: object): Promise<void> {
  const { status, text } = await control(running, 'POST', path, body && JSON.stringify(body));
  if (status !== 200) throw new Error(`${path} failed: ${text}`);
}

/** Workers are soon stable: then a successor comes at once, and a canary is trusted. */
const AT_ONCE = { min_uptime: 100 };

interface Falling extends Omit<Native, 'perform'> {
  /** How many fall at the same moment. */
  readonly together?: number;
}

function falls(how: (time: number) => Fall, { workers, together = 1, ...promise }: Falling): Promised {
  return native({
    load: DENSE,
    fields: AT_ONCE,
    workers,
    ...promise,
    async perform({ running, stunts }, time) {
      const pids = await serving(running);
      const victims = Array.from({ length: together }, (_, next) => pids[(time + next) % workers] ?? NaN);
      for (const victim of victims) stunts.fall(victim, how(time));
      await replaced(running, workers, victims);
    },
  });
}

const killed = (time: number): Fall => (time % 2 === 0 ? 'SIGKILL' : 'exit');

/** A worker that leaves unasked answers what it has, and its seat is taken meanwhile. */
function leavesUnasked(name: string, leave: (stunts: Stunts, pid: number) => void): Promised {
  return native({
    name,
    workers: 1,
    times: [1, 10],
    fields: AT_ONCE,
    async perform({ running, stunts }, time) {
      const [pid = NaN] = await serving(running);
      leave(stunts, pid);
      await replaced(running, 1, [pid]);
      const gone = await running.said(new RegExp(`^Worker ${pid} (exited|disconnected)`));
      const before = running.lines.slice(0, running.lines.indexOf(gone));
      if (before.filter(({ msg }) => msg.startsWith('Forking worker')).length !== time + 2)
        throw new Error('its successor had to wait until it was gone');
    },
  });
}

const reloads = (promise: Omit<Native, 'perform' | 'workers'>): Promised =>
  native({ workers: 2, fields: AT_ONCE, ...promise, perform: ({ running }) => ordered(running, '/reload') });

/** Resolves when a reload that nobody has ordered is over. */
async function reloaded(running: Service, cause: () => void = () => undefined): Promise<void> {
  const finished = (): number => messages(running).filter(line => line === 'Reload finished').length;
  const [{ generation }, before] = [await statusOf(running), finished()];
  let caused = -Infinity;
  await until(async () => {
    if (performance.now() - caused > 400) {
      cause();
      caused = performance.now();
    }
    return (await statusOf(running)).generation > generation;
  }, 'a new generation serves');
  await until(() => finished() > before, 'the reload has finished');
}

const WITHOUT_HANDLES = join(__dirname, 'without-handles.cjs');

export const NATIVE: readonly Promised[] = [
  falls(killed, { name: 'exit or SIGKILL of the only worker', workers: 1, times: [4, 20] }),
  falls(killed, { name: 'exit or SIGKILL of 1 of 2 workers', workers: 2, times: [4, 20] }),
  falls(killed, {
    name: 'exit or SIGKILL of 2 of 4 workers at once',
    workers: 4,
    times: [2, 20],
    together: 2,
  }),
  falls(killed, {
    name: 'exit or SIGKILL of the only worker, HOST=127.0.0.1',
    workers: 1,
    times: [2, 20],
    env: { HOST: '127.0.0.1' },
  }),
  falls(killed, {
    name: 'exit or SIGKILL of the only worker, HOST=::',
    workers: 1,
    times: [2, 20],
    env: { HOST: '::' },
  }),
  falls(killed, {
    name: 'exit or SIGKILL of the only worker, LISTEN_FDS',
    workers: 1,
    times: [2, 20],
    mode: 'shared',
    isActivated: true,
  }),
  native({
    name: '1 of 2 workers hangs, and is killed half a second later',
    workers: 2,
    times: [1, 10],
    load: DENSE,
    fields: AT_ONCE,
    async perform({ running, stunts }, time) {
      const pid = (await serving(running))[time % 2] ?? NaN;
      stunts.fall(pid, 'SIGSTOP');
      await until(() => stunts.hasSpoken(pid), 'it hangs');
      await new Promise(resolve => setTimeout(resolve, 500)); // the hang itself
      process.kill(pid, 'SIGKILL');
      await replaced(running, 2, [pid]);
    },
  }),
  leavesUnasked('an exception nobody catches in the only worker', (stunts, pid) => stunts.fall(pid, 'throw')),
  leavesUnasked('SIGTERM to the only worker', (_stunts, pid) => process.kill(pid, 'SIGTERM')),
  reloads({ name: 'reload', times: [2, 20] }),
  reloads({ name: 'reload, LISTEN_FDS', times: [1, 5], mode: 'shared', isActivated: true }),
  reloads({
    name: 'reload, round robin',
    times: [1, 5],
    mode: 'cluster',
    env: { NODE_CLUSTER_SCHED_POLICY: 'rr' },
  }),
  reloads({
    name: "reload, the system's choice",
    times: [1, 5],
    mode: 'cluster',
    env: { NODE_CLUSTER_SCHED_POLICY: 'none' },
  }),
  reloads({
    name: 'reload, a Node without handles',
    times: [1, 5],
    mode: 'cluster',
    env: { NODE_OPTIONS: `--require ${WITHOUT_HANDLES}` },
  }),
  native({
    name: 'reload by watch',
    workers: 2,
    times: [1, 5],
    fields: { ...AT_ONCE, watch: ['app.js'], watch_delay: 100 },
    perform: ({ running, at }) => reloaded(running, () => appendFileSync(join(at, 'app.js'), '//\n')),
  }),
  native({
    name: 'reload by cron',
    workers: 2,
    times: [1, 5],
    fields: { ...AT_ONCE, cron_restart: '*/6 * * * * *' },
    perform: ({ running }) => reloaded(running),
  }),
  native({
    name: 'scaling 2 → 4 → 1 → 3',
    workers: 2,
    times: [1, 5],
    async perform({ running }) {
      for (const instances of [2, 4, 1, 3]) await ordered(running, '/scale', { instances });
    },
  }),
  native({
    name: 'memory beyond its limit',
    workers: 2,
    times: [1, 2],
    fields: { max_memory_restart: GROWTH_LIMIT },
    async perform({ running, stunts }, time) {
      const pid = (await serving(running))[time] ?? NaN;
      stunts.fall(pid, 'grow');
      await replaced(running, 2, [pid]);
      await until(() => !isAlive(pid), 'it has left');
    },
  }),
  native({
    name: 'SIGTERM',
    workers: 2,
    times: [1, 5],
    isLast: true,
    async perform({ running }) {
      running.kill('SIGTERM');
      const { code, signal } = await running.ended;
      if (code !== 0) throw new Error(`SIGTERM ended the service with ${code ?? signal}`);
    },
  }),
  native({
    name: 'kill -9 of the supervisor',
    workers: 2,
    times: [1, 5],
    isLast: true,
    async perform({ running }) {
      const pids = await serving(running);
      running.kill('SIGKILL');
      await until(() => !pids.some(isAlive), 'every worker has left');
    },
  }),
];

function underPm2(
  promise: Pick<Promised, 'name' | 'times'> & { readonly isLast?: boolean },
  perform: (order: (...args: string[]) => Promise<void>) => Promise<void>,
): Promised {
  return {
    load: { ...MIXED, timeoutMs: 5_000 },
    mode: 'cluster',
    isLast: false,
    ...promise,
    async open(stunts) {
      const port = await freePort();
      const pm2 = new Pm2({ PORT: String(port), WEB_CONCURRENCY: '2' });
      async function order(...args: string[]): Promise<void> {
        const { code, text } = await pm2.run(...args);
        if (code !== 0) throw new Error(`pm2 ${args.join(' ')} failed: ${text}`);
      }
      await order('start', stunts.appFile()).catch(async (error: Error) => {
        await pm2.end();
        throw error;
      });
      return { port, perform: () => perform(order), close: () => pm2.end() };
    },
  };
}

const APP = 'cabe-arena-api';

export const PM2: readonly Promised[] = [
  underPm2({ name: 'pm2 reload', times: [1, 10] }, order => order('reload', APP)),
  underPm2({ name: 'pm2 scale 2 → 4 → 1 → 3', times: [1, 5] }, async order => {
    // Scaling to the number that runs already is refused.
    for (const instances of ['4', '1', '3', '2']) await order('scale', APP, instances);
  }),
  underPm2({ name: 'pm2 stop', times: [1, 5], isLast: true }, order => order('stop', APP)),
];
