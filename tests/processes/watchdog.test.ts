/** A worker whose event loop is blocked: reported with its stack, killed at the limit, replaced by either supervisor. */
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { hangingAppFile, hangingWorker, hangPath, type Hang } from '../support/hangs.js';
import { Pm2 } from '../support/pm2.js';
import {
  cleanUp,
  folder,
  follow,
  freePort,
  isAlive,
  parse,
  request,
  start,
  until,
  type LogLine,
  type Running,
} from '../support/processes.js';
import { service, serving, statusOf } from '../support/service.js';
import { spawn } from 'node:child_process';

jest.setTimeout(90_000);
afterEach(cleanUp);

type Worker = Running & { readonly port: number };

interface WorkerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly prelude?: string;
  readonly nodeArgs?: readonly string[];
  readonly launcher?: readonly string[];
}

async function worker({ env, prelude, nodeArgs = [], launcher }: WorkerOptions = {}): Promise<Worker> {
  const port = await freePort();
  const all = { PORT: String(port), WATCHDOG_TIMEOUT_MS: '2000', ...env };
  const running = start([...nodeArgs, hangingWorker(prelude)], all, folder(), launcher);
  await running.said(/HTTP server started successfully/);
  return Object.assign(running, { port });
}

const hang = ({ port }: Pick<Worker, 'port'>, how: Hang, ms: number): Promise<unknown> =>
  request(port, hangPath(how, ms));

const stackOf = ({ stack }: LogLine): string => (stack as string[] | undefined)?.join('\n') ?? '';

/** What the watchdog has said. */
const watchdogLines = ({ lines }: Pick<Running, 'lines'>): string[] =>
  lines.map(({ msg }) => msg.replace(/\d+ ms/, 'N ms')).filter(msg => /blocked|hung/.test(msg));

/** It serves again after what has happened to it, and the thread has logged all it has to log. */
async function servesOn({ port }: Pick<Worker, 'port'>): Promise<void> {
  expect((await request(port, '/health')).status).toBe(200);
  await new Promise(resolve => setTimeout(resolve, 500));
}

/** How the loop is blocked, and the frame that tells where. */
const KINDS: readonly (readonly [Hang, RegExp])[] = [
  ['loop', /^loop \(.*app\.js:\d+:\d+\)/m],
  ['regex', /^regex \(/m],
  ['wait', /^wait \(/m],
  ['microtasks', /^spin \(/m],
];

test.each(KINDS)(
  'a loop blocked by %s is reported once, with its stack, and lives on',
  async (how, frame) => {
    const running = await worker({ env: { WATCHDOG_TIMEOUT_MS: '20000' } });
    // Time without a free CPU does not count, so that a second of it takes longer on a busy machine.
    await hang(running, how, 5_000);
    const blocked = await running.said(/blocked for \d+ ms/);
    expect(blocked.level).toBe(40);
    expect(stackOf(blocked)).toMatch(frame);
    await running.said(/turns again/);
    await servesOn(running);
    expect(watchdogLines(running)).toEqual([
      `Worker ${running.pid} blocked for N ms`,
      `Worker ${running.pid} turns again, it was blocked for N ms`,
    ]);
  },
);

test.each(KINDS)(
  'a loop blocked by %s for too long is killed, and its last line tells where',
  async (how, frame) => {
    const running = await worker();
    await hang(running, how, 60_000);
    expect(await running.ended).toEqual({ code: null, signal: 'SIGKILL' });
    const { level, ...hung } = await running.said(/hung for \d+ ms$/);
    expect(level).toBe(60);
    expect(stackOf(hung)).toMatch(frame);
  },
);

test.each<[string, number, readonly string[]]>([
  ['shorter than a second is not logged', 700, []],
  [
    'longer than a second is reported',
    1_900,
    ['blocked for N ms in native code (no JavaScript stack)', 'turns again, it was blocked for N ms'],
  ],
])('a synchronous sleep %s', async (_what, ms, expected) => {
  const running = await worker({ env: { WATCHDOG_TIMEOUT_MS: '5000' } });
  await hang(running, 'sleep', ms);
  await new Promise(resolve => setTimeout(resolve, ms));
  await servesOn(running);
  expect(watchdogLines(running)).toEqual(expected.map(text => `Worker ${running.pid} ${text}`));
});

test('a synchronous sleep beyond the limit is killed, in native code as well', async () => {
  const running = await worker();
  await hang(running, 'sleep', 60_000);
  await running.said(/hung for \d+ ms in native code/);
  expect(await running.ended).toEqual({ code: null, signal: 'SIGKILL' });
});

test('the requests in flight are named with their age, and without their query', async () => {
  const running = await worker();
  const slow = connect(running.port, '127.0.0.1');
  slow
    .on('error', () => undefined)
    .write(
      'POST /api/status?token=secret HTTP/1.1\r\nHost: a\r\nX-Request-Id: slow-1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
  await hang(running, 'loop', 60_000);
  const { inFlight, requests } = await running.said(/hung for/);
  expect(inFlight).toBe(1);
  expect(requests).toEqual([
    { id: 'slow-1', method: 'POST', path: '/api/status', ageMs: expect.any(Number) as number },
  ]);
  expect((requests as { ageMs: number }[])[0]?.ageMs).toBeGreaterThan(2_000);
  slow.destroy();
});

test('a process that was stopped and continued is not blamed', async () => {
  const running = await worker();
  for (const ms of [1_100, 4_000, 1_500]) {
    running.kill('SIGSTOP');
    await new Promise(resolve => setTimeout(resolve, ms));
    running.kill('SIGCONT');
    await servesOn(running);
  }
  expect(watchdogLines(running)).toEqual([]);
});

test('a worker without a free CPU is not blamed', async () => {
  const running = await worker({ launcher: ['taskset', '-c', '0', 'nice', '-n', '10'] });
  const rivals = ['a', 'b'].map(() =>
    follow(spawn('taskset', ['-c', '0', process.execPath, '-e', 'for (;;);'], { detached: true })),
  );
  const end = performance.now() + 6_000;
  while (performance.now() < end) await request(running.port, '/health');
  for (const rival of rivals) rival.kill('SIGKILL');
  await servesOn(running);
  expect(watchdogLines(running)).toEqual([]);
});

const HOARD = 'globalThis.hoard = Array.from({ length: 400_000 }, (_, n) => ({ n, text: `number ${n}` }));';

test('a heap snapshot may take longer than the limit', async () => {
  const running = await worker({ prelude: HOARD });
  await hang(running, 'snapshot', 0);
  const asked = performance.now();
  await new Promise(resolve => setTimeout(resolve, 200));
  await request(running.port, '/health');
  expect(performance.now() - asked).toBeGreaterThan(2_500);
  await servesOn(running);
  expect(watchdogLines(running)).toEqual([]);
});

test.each<[string, WorkerOptions]>([
  ['with OBSERVER=off', { env: { OBSERVER: 'off' } }],
  ['with WATCHDOG_TIMEOUT_MS=0', { env: { WATCHDOG_TIMEOUT_MS: '0' } }],
  ['in development', { env: { NODE_ENV: 'development', WATCHDOG_TIMEOUT_MS: '', NO_COLOR: '1' } }],
  ['while a debugger may be attached', { nodeArgs: ['--inspect=0'] }],
])('nothing is reported or killed %s', async (_when, options) => {
  const running = await worker(options);
  await hang(running, 'loop', 3_500);
  await new Promise(resolve => setTimeout(resolve, 3_500));
  await servesOn(running);
  expect(watchdogLines(running)).toEqual([]);
});

test.each([1, 2])(
  'under the native supervisor a hung worker is replaced, and status says why (of %i)',
  async workers => {
    const app = hangingAppFile();
    const running = await service({ workers, args: ['--config', app], env: { WATCHDOG_TIMEOUT_MS: '2000' } });
    const before = await serving(running);
    await hang(running, 'loop', 60_000);
    const hung = await running.said(/hung for \d+ ms/);
    await running.said(new RegExp(`Worker ${hung.pid} exited`));
    await until(async () => (await serving(running)).length === workers, 'the slot is filled again');
    expect(before).toContain(hung.pid);
    expect(await serving(running)).not.toContain(hung.pid);
    const reasons = (await statusOf(running)).workers.map(({ lastExit }) => lastExit?.reason);
    expect(reasons).toContainEqual(expect.stringMatching(/^exited \(signal SIGKILL\): hung for \d+ ms$/));
  },
);

test('a blocked worker whose supervisor has died ends itself at the kill timeout', async () => {
  const env = { DRAIN_TIMEOUT_MS: '1001', WATCHDOG_TIMEOUT_MS: '60000' };
  const running = await service({ workers: 1, args: ['--config', hangingAppFile()], env });
  const [pid = 0] = await serving(running);
  await hang(running, 'loop', 60_000);
  await running.said(/blocked for/);
  running.kill('SIGKILL');
  await until(() => !isAlive(pid), 'it has ended', 8_000);
});

test('under PM2 a hung worker is replaced, and its log says that it hung', async () => {
  const port = await freePort();
  const pm2 = new Pm2({ PORT: String(port), WEB_CONCURRENCY: '1', WATCHDOG_TIMEOUT_MS: '2000' });
  try {
    const app = hangingAppFile();
    expect(existsSync(app)).toBe(true);
    await pm2.runFrom({ cwd: join(app, '..') }, 'start', app);
    await until(async () => (await pm2.list())[0]?.pm2_env.status === 'online', 'it is online');
    await until(
      () =>
        request(port, '/health').then(
          () => true,
          () => false,
        ),
      'it answers',
    );
    const [{ pid } = { pid: 0 }] = await pm2.list();
    await hang({ port }, 'loop', 60_000);
    await until(
      () => pm2.logs().some(line => parse(line).msg.startsWith(`Worker ${pid} hung for`)),
      'it is said',
    );
    // A connection that PM2's daemon gives to a dying worker is neither answered nor closed.
    await until(async () => (await pm2.list())[0]?.pid !== pid, 'PM2 has replaced it');
    await until(
      async () => (await request(port, '/health').catch(() => undefined))?.status === 200,
      'another one serves',
    );
    expect((await pm2.list())[0]?.pid).not.toBe(pid);
  } finally {
    await pm2.end();
  }
});
