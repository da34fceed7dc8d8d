/** `docs/signals.md`, played: every bold word of its tables is what really happens, with requests in flight. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { Pm2 } from '../support/pm2.js';
import {
  cleanUp,
  CLUSTER,
  folder,
  follow,
  freePort,
  isAlive,
  request,
  ROOT,
  start,
  until,
  WORKER,
  type Running,
} from '../support/processes.js';
import { control, serving, statusOf } from '../support/service.js';

jest.setTimeout(60_000);

type Env = Readonly<Record<string, string>>;

/** A service that serves, under any supervisor. */
interface Stage {
  readonly port: number;
  readonly workers: readonly number[];
  /** Who is in charge; a worker alone is so itself. */
  readonly master: number;
  readonly log: () => string;
  /** The exit code of the master, once it has ended. */
  readonly code: () => Promise<number | null>;
  /** The channel to the first worker. */
  readonly say: Readonly<Record<'shutdown' | 'retire', () => unknown>>;
  readonly closeTerminal: () => unknown;
  /** The `stop` command to the native supervisor; settles when it is answered. */
  readonly commandStop: () => Promise<unknown>;
}

let pm2: Pm2 | undefined;
afterEach(async () => {
  await cleanUp();
  if (pm2 === undefined) return;
  // Without its daemon a worker exits at once, even if it waits for something.
  if (isAlive(pm2.daemon)) process.kill(pm2.daemon, 'SIGKILL');
  await pm2.end();
  pm2 = undefined;
});

const unsupported = (): never => {
  throw new Error('this supervisor cannot do that');
};

async function alone(env: Env): Promise<Stage> {
  const running = start([WORKER], env);
  await running.said(/HTTP server started/);
  return {
    ...stageOf(running, env),
    workers: [running.pid],
    master: running.pid,
    say: { shutdown: unsupported, retire: unsupported },
    closeTerminal: unsupported,
    commandStop: unsupported,
  };
}

const native = (env: Env): Promise<Stage> =>
  supervised(
    start([CLUSTER, ...(env['NODE_ENV'] === undefined ? [] : ['--env', env['NODE_ENV']])], env),
    env,
  );

/** Starts a program in a new terminal, which is closed when standard input ends; then waits for the program. */
const TERMINAL = `
import os, pty, select, sys
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
while True:
    ready, _, _ = select.select([0, terminal], [], [])
    if 0 in ready: break
    os.write(1, os.read(terminal, 65536))
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
const hasTerminals = spawnSync('python3', ['-c', 'import os, pty; os.waitstatus_to_exitcode']).status === 0;

async function inTerminal(env: Env): Promise<Stage> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('python3', ['-c', TERMINAL, process.execPath, CLUSTER], {
    cwd: ROOT,
    env: { PATH, HOME, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  return { ...(await supervised(follow(child), env)), closeTerminal: () => child.stdin.end() };
}

async function supervised(running: Running, env: Env): Promise<Stage> {
  const expected = Number(env['WEB_CONCURRENCY']);
  await until(
    async () => (await serving({ env }).catch(() => [])).length === expected,
    `every worker serves; what was said is\n${running.text()}`,
  );
  const master = (await statusOf({ env })).supervisor.pid;
  return {
    ...stageOf(running, env),
    workers: await serving({ env }),
    master,
    say: {
      shutdown: () => process.kill(master, 'SIGTERM'),
      retire: () => control({ env }, 'POST', '/reload'),
    },
    closeTerminal: unsupported,
    commandStop: () => control({ env }, 'POST', '/stop'),
  };
}

const stageOf = (running: Running, env: Env): Pick<Stage, 'port' | 'log' | 'code'> => ({
  port: Number(env['PORT']),
  log: running.text,
  code: async () => (await running.ended).code,
});

async function underPm2(env: Env): Promise<Stage> {
  const its = new Pm2(env);
  pm2 = its;
  const { code, text } = await its.run('start', 'ecosystem.config.js');
  if (code !== 0) throw new Error(text);
  const retire = `require('pm2').connect(() => require('pm2').sendDataToProcessId(0, { type: 'cabe:retire', topic: 'any', data: {} }, () => process.exit()))`;
  return {
    port: Number(env['PORT']),
    workers: (await its.list()).map(({ pid }) => pid),
    master: its.daemon,
    log: () => [...its.logs(), readFileSync(join(its.home, 'pm2.log'), 'utf8')].join('\n'),
    code: unsupported,
    say: {
      shutdown: () => its.run('stop', 'cabe-arena-api'),
      retire: () => execFileSync(process.execPath, ['-e', retire], { cwd: ROOT, env: its.env }),
    },
    closeTerminal: unsupported,
    commandStop: unsupported,
  };
}

type Fate = 'answered' | 'cut';

/** A request that a worker has begun to read; its last byte is still to come. */
interface Held {
  readonly end: () => void;
  readonly fate: Promise<Fate>;
}

function hold(port: number): Promise<Held> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': '2', Expect: '100-continue' };
    const held = http.request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/echo',
      headers,
      agent: false,
    });
    const fate = new Promise<Fate>(settle => {
      held.on('response', response => {
        response.resume().on('end', () => settle(response.statusCode === 404 ? 'answered' : 'cut'));
      });
      held.on('error', () => settle('cut'));
    });
    held.once('continue', () => resolve({ end: () => held.end('{}'), fate })).once('error', reject);
    held.flushHeaders();
  });
}

/** Requests in flight, and a connection that is kept beside them. */
interface Client {
  /** One more request on the connection that is kept. */
  readonly ask: (path: string) => ReturnType<typeof request>;
  /** What becomes of the requests in flight. */
  readonly fates: () => Promise<ReadonlySet<Fate>>;
  /** The same, once the rest of each has been sent. */
  readonly finish: () => Promise<ReadonlySet<Fate>>;
}

async function clientOf({ port, workers, log }: Stage): Promise<Client> {
  const held = await Promise.all([1, 2, 3, 4].map(() => hold(port)));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ask: Client['ask'] = path => request(port, path, { agent });
  const fates = async (): Promise<Set<Fate>> => new Set(await Promise.all(held.map(({ fate }) => fate)));
  const { worker } = (await ask('/health')).json() as { worker: number };
  expect(workers).toContain(worker);
  await until(() => log().includes('GET /health'), 'nothing is left to be logged');
  return {
    ask,
    fates,
    finish() {
      agent.destroy();
      for (const { end } of held) end();
      return fates();
    },
  };
}

const ANSWERED: ReadonlySet<Fate> = new Set(['answered']);
const CUT: ReadonlySet<Fate> = new Set(['cut']);

const allGone = ({ workers }: Stage): Promise<void> =>
  until(() => !workers.some(isAlive), 'every worker has left');

const drainsOf = ({ log, workers }: Stage): number =>
  workers.filter(pid => log().includes(`Worker ${pid} draining`)).length;

type Order = (stage: Stage) => unknown;

/** What each bold word means, and what clients see of it. */
const WORDS: Readonly<
  Record<
    string,
    {
      readonly clients: Fate;
      /** A minute is longer than anybody waits here: who leaves all the same has not waited for it. */
      readonly delayMs?: number;
      readonly proof: (stage: Stage, order: Order) => Promise<void>;
    }
  >
> = {
  'drain (stop)': {
    clients: 'answered',
    async proof(stage, order) {
      const client = await clientOf(stage);
      const given = order(stage);
      await until(async () => (await client.ask('/readyz')).status === 503, 'the balancer sees it');
      expect(await client.finish()).toEqual(ANSWERED);
      await allGone(stage);
      await given;
    },
  },
  'drain (retire)': { clients: 'answered', delayMs: 60_000, proof: drainsAtOnce },
  'drain (orphaned)': { clients: 'answered', delayMs: 60_000, proof: drainsAtOnce },
  'end at once': {
    clients: 'cut',
    async proof(stage, order) {
      const client = await clientOf(stage);
      const given = order(stage);
      expect(await client.fates()).toEqual(CUT);
      await allGone(stage);
      await given;
    },
  },
  ignored: {
    clients: 'answered',
    async proof(stage, order) {
      const client = await clientOf(stage);
      const given = order(stage);
      expect((await client.ask('/readyz')).status).toBe(200);
      expect(await client.finish()).toEqual(ANSWERED);
      expect((await request(stage.port, '/health')).json()).toMatchObject({ worker: stage.workers[0] });
      expect(drainsOf(stage)).toBe(0);
      await given;
    },
  },
  'no more': {
    clients: 'answered',
    async proof(stage, order) {
      const client = await clientOf(stage);
      await order(stage);
      expect(await client.finish()).toEqual(ANSWERED);
      await allGone(stage);
      await until(() => /exited (\(code 0\)|with code \[0\])/.test(stage.log()), 'its exit code is 0');
      expect(stage.log().match(/ draining /g)).toHaveLength(1);
    },
  },
  reload: {
    clients: 'answered',
    async proof(stage, order) {
      const client = await clientOf(stage);
      const given = order(stage);
      await until(() => drainsOf(stage) > 0, 'the first worker is retired');
      expect(await client.finish()).toEqual(ANSWERED);
      await allGone(stage);
      await until(() => stage.log().includes('Reload finished'), 'the reload is over');
      await given;
      expect((await request(stage.port, '/readyz')).status).toBe(200);
    },
  },
};

async function drainsAtOnce(stage: Stage, order: Order): Promise<void> {
  const client = await clientOf(stage);
  const given = order(stage);
  await until(() => drainsOf(stage) === stage.workers.length, 'every worker drains');
  expect(await client.finish()).toEqual(ANSWERED);
  await allGone(stage);
  await given;
}

/** A process that is documented to end with an exit code ends with it. */
async function endsWith({ code }: Stage, documented: number | undefined): Promise<void> {
  if (documented !== undefined) expect(await code()).toBe(documented);
}

const toWorker =
  (signal: NodeJS.Signals): Order =>
  ({ workers }) =>
    process.kill(workers[0] ?? 0, signal);
const toMaster =
  (signal: NodeJS.Signals): Order =>
  ({ master }) =>
    process.kill(master, signal);
const toGroup =
  (signal: NodeJS.Signals): Order =>
  ({ master }) =>
    process.kill(-master, signal);

/** The time between two orders that cannot be one key press; not a wait for anything. */
const apart = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 700));

const twice =
  (first: Order, second: Order): Order =>
  async stage => {
    await first(stage);
    await apart();
    await second(stage);
  };

/** The command is answered when all is over. */
const commandedThen =
  (second: Order): Order =>
  stage =>
    Promise.all([stage.commandStop(), apart().then(() => second(stage))]);

/** Every table of the document: where its services come from, and how what comes in is brought about. */
const TABLES: Readonly<
  Record<
    string,
    {
      readonly workers: number;
      readonly stages: Readonly<Record<string, (env: Env) => Promise<Stage>>>;
      readonly orders: Readonly<Record<string, Order>>;
    }
  >
> = {
  'The native supervisor': {
    workers: 2,
    stages: { 'what happens': native },
    orders: {
      SIGTERM: toMaster('SIGTERM'),
      'SIGTERM to every process at once, as systemd sends it': toGroup('SIGTERM'),
      'SIGINT to the whole group: Ctrl-C': toGroup('SIGINT'),
      SIGHUP: toMaster('SIGHUP'),
      'SIGHUP because the terminal it runs in has been closed': ({ closeTerminal }) => closeTerminal(),
      'a second signal to stop, in any combination': twice(toMaster('SIGTERM'), toMaster('SIGINT')),
      'a signal to stop after the `stop` command': commandedThen(toMaster('SIGTERM')),
      SIGKILL: toMaster('SIGKILL'),
    },
  },
  'The worker': {
    workers: 1,
    stages: { alone, 'under the native supervisor': native, 'under PM2': underPm2 },
    orders: {
      'message `shutdown`': ({ say }) => say.shutdown(),
      "message `{ type: 'cabe:retire' }`": ({ say }) => say.retire(),
      SIGTERM: toWorker('SIGTERM'),
      SIGINT: toWorker('SIGINT'),
      SIGHUP: toWorker('SIGHUP'),
      'a second order': twice(toWorker('SIGTERM'), toWorker('SIGTERM')),
      'its supervisor dies': toMaster('SIGKILL'),
    },
  },
  "PM2's daemon": {
    workers: 1,
    stages: { 'what happens': underPm2 },
    orders: {
      SIGTERM: toMaster('SIGTERM'),
      SIGINT: toMaster('SIGINT'),
      SIGHUP: toMaster('SIGHUP'),
      SIGKILL: toMaster('SIGKILL'),
    },
  },
};

type Row = Readonly<Record<string, string>>;

function rowsOf(title: string): Row[] {
  const document = readFileSync(join(ROOT, 'docs', 'signals.md'), 'utf8');
  const [section = ''] = document.split(`\n## ${title}\n`).at(1)?.split('\n## ') ?? [];
  const [head = [], , ...rows] = section
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(line => line.split('|').map(cell => cell.trim()));
  return rows.map(cells => Object.fromEntries(head.map((name, column) => [name, cells[column] ?? ''])));
}

/** The words of a cell: in which mode, what, and with which exit code. */
const wordsOf = (
  cell = '',
): { readonly mode: string | undefined; readonly word: string; readonly code: number | undefined }[] =>
  [...cell.matchAll(/(?:(production|development): )?\*\*(.+?)\*\*(?=([^*]*))/g)].map(
    ([, mode, word = '', rest = '']) => {
      const [, code] = /exit code (\d)/.exec(rest) ?? [];
      return { mode, word, code: code === undefined ? undefined : Number(code) };
    },
  );

describe.each(Object.entries(TABLES))('%s', (title, { workers, stages, orders }) => {
  const rows = rowsOf(title);

  test('has a row for every order that is tried, and no other', () => {
    expect(rows.map(row => row['comes in'])).toEqual(Object.keys(orders));
  });

  const plays = rows.flatMap(row =>
    Object.entries(stages).flatMap(([column, stage]) =>
      wordsOf(row[column]).map(word => ({ ...word, what: row['comes in'] ?? '', column, stage })),
    ),
  );

  for (const { what, column, stage, mode, word, code } of plays) {
    const needsTerminal = what.includes('terminal');
    const name = `${what}, ${column}${mode === undefined ? '' : `, in ${mode}`}: ${word}`;
    (needsTerminal && !hasTerminals ? test.skip : test)(name, async () => {
      const { delayMs = 1_000, proof } = WORDS[word] ?? unsupported();
      const env = {
        PORT: String(await freePort()),
        WEB_CONCURRENCY: String(workers),
        RUN_DIR: folder(),
        DRAIN_DELAY_MS: String(delayMs),
        DRAIN_TIMEOUT_MS: '600000', // so that nothing in flight is cut but at once
        NO_COLOR: '1',
        ...(mode === undefined ? {} : { NODE_ENV: mode }),
      };
      const played = await (needsTerminal ? inTerminal : stage)(env);
      await proof(played, orders[what] ?? unsupported);
      await endsWith(played, code);
    });
  }

  test('tells of clients what follows from what happens', () => {
    for (const row of rows) {
      const words = Object.keys(stages).flatMap(column => wordsOf(row[column]));
      expect([row['comes in'], new Set(wordsOf(row['clients see']).map(({ word }) => word))]).toEqual([
        row['comes in'],
        new Set(words.map(({ word }) => WORDS[word]?.clients)),
      ]);
    }
  });
});
