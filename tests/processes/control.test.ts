/** The control socket as any HTTP client sees it. */
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { VERSION } from '../../src/version.js';
import { NO_FIGURES, type WorkerFigures } from '../../src/supervisor/report/figures.js';
import type { Status } from '../../src/supervisor/report/status.js';
import {
  appFile,
  control,
  IDLE,
  IDLE_FIELDS,
  messages,
  served,
  service,
  serving,
  statusOf,
  type Service,
} from '../support/service.js';
import {
  APP_FILE,
  cleanUp,
  CLUSTER,
  folder,
  isAlive,
  start,
  until,
  type Answer,
  type Running,
} from '../support/processes.js';
import { listeningSockets, socketsOf } from '../support/sockets.js';

const FIGURES = Object.keys(NO_FIGURES) as (keyof WorkerFigures)[];

jest.setTimeout(60_000);
afterEach(cleanUp);

const socketOf = ({ env }: Service): string => join(env['RUN_DIR'] ?? '', 'supervisor.sock');

const scale = (running: Service, instances: unknown): Promise<Answer> =>
  control(running, 'POST', '/scale', JSON.stringify({ instances }));

/** An order whose client disconnects between order and answer. */
async function orderAndLeave(running: Service, path: string, pattern: RegExp): Promise<void> {
  const order = http.request({ socketPath: socketOf(running), method: 'POST', path, agent: false });
  const closed = new Promise(resolve => order.on('error', () => undefined).on('close', resolve));
  order.end();
  await running.said(pattern);
  order.destroy();
  await closed;
}

test('GET /status tells everything that status --json does', async () => {
  const running = await service();
  const answer = await control(running, 'GET', '/status');
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  const status = answer.json() as Status;
  // Any worker may not have reported its figures yet.
  const workers = status.workers.map(worker => ({
    ...worker,
    ...Object.fromEntries(FIGURES.map(name => [name, typeof (worker[name] ?? 0)])),
  }));
  expect({ ...status, workers }).toEqual({
    app: 'cabe-arena-api',
    file: APP_FILE,
    env: null,
    supervisor: { pid: running.pid, uptime: expect.any(Number), version: VERSION, node: process.version },
    generation: 1,
    state: 'ready',
    wanted: 2,
    served: 2,
    restartsLastMinute: 0,
    why: [],
    workers: [0, 1].map(slot => ({
      slot,
      pid: expect.any(Number),
      generation: 1,
      state: 'ready',
      hungFor: null,
      nextTryIn: null,
      uptime: expect.any(Number),
      restarts: 0,
      lastExit: null,
      exits: [],
      memory: expect.any(Number),
      cpu: expect.any(Number),
      ...Object.fromEntries(FIGURES.map(name => [name, 'number'])),
    })),
    lastReload: null,
  });
  expect((await control(running, 'GET', '/status?pretty')).status).toBe(200);
});

test("a worker's uptime does not follow the wall clock when that is set", async () => {
  const clock = join(folder(), 'clock.js');
  writeFileSync(
    clock,
    `const { now } = Date;
     process.on('SIGUSR2', () => { Date.now = () => now() - 3_600_000; console.log('an hour earlier'); });`,
  );
  const running = await service({ workers: 1, env: { NODE_OPTIONS: `--require ${clock}` } });
  running.kill('SIGUSR2');
  await running.said(/^an hour earlier$/);
  expect((await statusOf(running)).workers[0]?.uptime).toBeGreaterThan(0);
});

test('actions are answered when they are done', async () => {
  const running = await service();
  const before = await serving(running);
  const reload = await control(running, 'POST', '/reload');
  expect([reload.status, reload.json()]).toEqual([200, { ok: true, reason: null }]);
  const after = await serving(running);
  expect(after).toHaveLength(2);
  expect(after.filter(pid => before.includes(pid))).toEqual([]);
  expect(before.filter(isAlive)).toEqual([]);

  expect((await scale(running, 3)).status).toBe(200);
  expect(await serving(running)).toHaveLength(3);

  const stop = await control(running, 'POST', '/stop');
  expect([stop.status, stop.json()]).toEqual([200, { ok: true, reason: null }]);
  expect(await running.ended).toEqual({ code: 0, signal: null });
  expect(existsSync(socketOf(running))).toBe(false);
});

test('reloads that are asked for at once are one more reload, and each is answered', async () => {
  const running = await service();
  const answers = await Promise.all(Array.from({ length: 5 }, () => control(running, 'POST', '/reload')));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect((await statusOf(running)).generation).toBe(3);
});

test('a reload that waits for another one is answered when the service gives up', async () => {
  const file = appFile(IDLE, { ...IDLE_FIELDS, autorestart: false, min_uptime: 20_000 });
  const env = { RUN_DIR: folder() };
  const running = start([CLUSTER, '--config', file], env);
  await until(async () => (await serving({ env }).catch(() => [])).length === 1, 'it serves');
  const answers = [1, 2].map(() => control({ env }, 'POST', '/reload'));
  await running.said(/^A reload is running; another one follows it$/);
  await until(async () => (await serving({ env })).length === 2, 'the successor serves, on trial');
  const [old = NaN, successor = NaN] = await serving({ env });
  process.kill(old, 'SIGKILL'); // first: the second reload would begin with it otherwise
  await until(async () => (await serving({ env })).length === 1, "the slot is the successor's");
  process.kill(successor, 'SIGKILL');
  expect((await Promise.all(answers)).map(answer => answer.json())).toEqual([
    {
      ok: false,
      reason: 'the new worker of slot 0 exited (signal SIGKILL) before it had proved stable',
      advice: expect.stringMatching(/^The failed build is still in place: /) as string,
    },
    { ok: false, reason: 'the service stops' },
  ]);
  expect((await running.ended).code).toBe(4);
});

describe('what is no order is refused, and changes nothing', () => {
  let running: Service;
  beforeEach(async () => {
    running = await service();
  });
  async function expectUnchanged(): Promise<void> {
    expect(await statusOf(running)).toMatchObject({ generation: 1, state: 'ready', wanted: 2 });
    expect(served(running)).toHaveLength(2);
  }

  test('an unknown path: 404 that names a known one', async () => {
    const answer = await control(running, 'GET', '/');
    expect([answer.status, answer.json()]).toEqual([
      404,
      { ok: false, reason: 'there is no /; try /status' },
    ]);
    expect((await control(running, 'POST', '/reload/now')).status).toBe(404);
    await expectUnchanged();
  });

  test.each([
    ['POST', '/status', 'GET'],
    ['DELETE', '/status', 'GET'],
    ['GET', '/reload', 'POST'],
    ['PUT', '/scale', 'POST'],
    ['GET', '/stop', 'POST'],
    ['GET', '/hung', 'POST'],
  ])('%s %s: 405 that allows %s', async (method, path, allowed) => {
    const answer = await control(running, method, path);
    expect([answer.status, answer.headers.allow]).toEqual([405, allowed]);
    await expectUnchanged();
  });

  test('a body that is no JSON object: 400', async () => {
    for (const body of ['{', '{"instances":', '[]', '3', 'null', '"3"', 'instances=3'])
      expect([body, (await control(running, 'POST', '/scale', body)).status]).toEqual([body, 400]);
    expect((await control(running, 'POST', '/reload', '{')).status).toBe(400);
    await expectUnchanged();
  });

  test('a report of a hung worker that names none changes nothing', async () => {
    for (const body of ['{}', '{"pid":"1","blockedMs":2}', '{"pid":1}', '{"pid":1,"blockedMs":-0.5}'])
      expect([body, (await control(running, 'POST', '/hung', body)).status]).toEqual([body, 400]);
    expect((await control(running, 'POST', '/hung', '{"pid":1,"blockedMs":2000}')).status).toBe(200);
    await expectUnchanged();
  });

  test('a number of workers that is none: 400 that says what was got', async () => {
    for (const instances of ['3', -1, 1.5, 1025, null, true, [3], {}])
      expect([instances, (await scale(running, instances)).status]).toEqual([instances, 400]);
    expect((await scale(running, '3')).json()).toEqual({
      ok: false,
      reason: 'instances must be a whole number from 1 to 1024, got "3"',
    });
    expect((await control(running, 'POST', '/scale')).json()).toMatchObject({
      reason: expect.stringMatching(/got nothing$/),
    });
    expect((await scale(running, 0)).json()).toEqual({
      ok: false,
      reason: 'scale 0 would stop the service; use stop',
    });
    await expectUnchanged();
  });

  test.each([2_000, 100_000])('a body of %i bytes: 413', async size => {
    const answer = await control(running, 'POST', '/scale', `{"instances":3,"x":"${'x'.repeat(size)}"}`);
    expect([answer.status, answer.json()]).toEqual([
      413,
      { ok: false, reason: 'the body may have 1024 bytes' },
    ]);
    await expectUnchanged();
  });

  test('what is not even HTTP does no harm', async () => {
    const { connect } = await import('node:net');
    await new Promise<void>(resolve => {
      const socket = connect(socketOf(running), () => socket.end('\0\0 what?\r\n\r\n'));
      socket.on('error', () => undefined).on('close', () => resolve());
      socket.resume();
    });
    expect((await control(running, 'GET', '/status')).status).toBe(200);
    await expectUnchanged();
  });
});

describe('a client that goes away', () => {
  test('during POST /reload cancels nothing', async () => {
    const running = await service();
    const before = await serving(running);
    await orderAndLeave(running, '/reload', /^Reloading 2 workers$/);
    await running.said(/^Reload finished$/);
    expect((await serving(running)).filter(pid => before.includes(pid))).toEqual([]);
    expect((await statusOf(running)).lastReload).toMatchObject({ ok: true });
  });

  test('during POST /stop cancels nothing', async () => {
    const running = await service();
    await orderAndLeave(running, '/stop', /^Disconnecting worker/);
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(messages(running).at(-1)).toBe('All workers disconnected, master process exiting');
  });
});

/** `undefined` while the socket is missing, or has its name but does not accept yet. */
const stateOf = async (running: Service): Promise<string | undefined> =>
  (await statusOf(running).catch(() => undefined))?.state;

describe('the socket', () => {
  test('is for this user alone, in a folder for this user alone', async () => {
    const running = await service();
    expect(statSync(socketOf(running)).mode & 0o777).toBe(0o600);
    expect(statSync(join(socketOf(running), '..')).mode & 0o777).toBe(0o700);
  });

  test.each(['the socket', 'its folder'])('is made again when %s has been removed', async what => {
    const running = await service();
    rmSync(what === 'the socket' ? socketOf(running) : (running.env['RUN_DIR'] ?? ''), { recursive: true });
    await expect(control(running, 'GET', '/status')).rejects.toMatchObject({ code: 'ENOENT' });
    const [victim = NaN] = served(running);
    process.kill(victim, 'SIGKILL'); // any change will do
    await until(() => served(running).length === 3, 'its successor serves');
    await until(async () => (await stateOf(running)) === 'ready', 'the socket is there again, and answers');
    expect(statSync(socketOf(running)).mode & 0o777).toBe(0o600);
    expect(statSync(join(socketOf(running), '..')).mode & 0o777).toBe(0o700);
    expect(running.text()).not.toMatch(/Commands cannot reach/);
  });

  test('is made again also where nothing else happens', async () => {
    const running = await service({ workers: 1 });
    const said = messages(running).length;
    rmSync(socketOf(running));
    await until(async () => (await stateOf(running)) === 'ready', 'the socket is there again, and answers');
    expect(messages(running)).toHaveLength(said);
  });

  test('that cannot be made again is logged once, and is made when it can be', async () => {
    const running = await service({ workers: 1 });
    const at = running.env['RUN_DIR'] ?? '';
    rmSync(at, { recursive: true });
    writeFileSync(at, 'in the way');
    const warnings = (): string[] =>
      messages(running).filter(line => line.startsWith('Commands cannot reach'));
    const [victim = NaN] = served(running);
    process.kill(victim, 'SIGKILL'); // several changes, each of which would have it made
    await until(() => served(running).length === 2, 'its successor serves');
    await until(() => warnings().length > 0, 'it is logged');
    rmSync(at);
    await until(() => existsSync(socketOf(running)), 'the socket is there again');
    expect(warnings()).toHaveLength(1);
  });

  test.each([
    ['removed', () => undefined],
    ['replaced by a file', (at: string) => writeFileSync(at, 'in the way')],
  ])('whose folder has been %s does not make a clean end a failure', async (_name, replace) => {
    const running = await service({ workers: 1 });
    const at = running.env['RUN_DIR'] ?? '';
    rmSync(at, { recursive: true });
    replace(at);
    running.kill('SIGTERM');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(running.lines.filter(({ level = 0 }) => level > 40)).toEqual([]);
  });

  test.each([
    ['nothing', ''],
    ['half a request', 'GET /status HTTP/1.1\r\nHost: x\r\n'],
    ['a request without its body', 'POST /scale HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{'],
  ])('a client that has sent %s does not keep the service from ending', async (_name, words) => {
    const { connect } = await import('node:net');
    const running = await service({ workers: 1 });
    const socket = connect(socketOf(running), () => socket.write(words)).on('error', () => undefined);
    await control(running, 'GET', '/status'); // earlier connections have been accepted
    try {
      running.kill('SIGTERM');
      await running.said(/^All workers disconnected/);
      running.kill('SIGINT'); // nor does who is in a hurry
      expect(await running.ended).toEqual({ code: 0, signal: null });
      expect(existsSync(socketOf(running))).toBe(false);
    } finally {
      socket.destroy();
    }
  });

  test('of a supervisor that is suspended is not taken over: its pid is named, and commands do not wait for it', async () => {
    const running = await service({ workers: 1 });
    running.kill('SIGSTOP');
    try {
      const second = start([CLUSTER], running.env);
      const status = start([CLUSTER, 'status'], running.env);
      expect((await second.ended).code).toBe(1);
      expect(second.text()).toContain(
        `already running (pid ${running.pid}, does not answer, ${socketOf(running)})`,
      );
      expect((await status.ended).code).toBe(1);
      expect(status.text()).toBe(`The supervisor does not answer (${socketOf(running)})\n`);
    } finally {
      running.kill('SIGCONT');
    }
    running.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);
    expect(readdirSync(running.env['RUN_DIR'] ?? '')).toEqual([]);
  });

  test('is made again also while an order waits for its answer on the old one', async () => {
    const running = await service();
    const reload = control(running, 'POST', '/reload');
    await running.said(/^Reloading 2 workers$/);
    rmSync(socketOf(running));
    expect((await reload).json()).toEqual({ ok: true, reason: null });
    expect((await control(running, 'GET', '/status')).status).toBe(200);
  });

  test("is the only way in: no other TCP port than the service's listens", async () => {
    const running = await service();
    const own = socketsOf(running.pid);
    const ports = listeningSockets().flatMap(({ inode, port }) => (own.has(inode) ? [port] : []));
    expect(new Set(ports)).toEqual(new Set([running.port]));
    for (const pid of await serving(running)) {
      const its = socketsOf(pid);
      const held = listeningSockets().flatMap(({ inode, port }) => (its.has(inode) ? [port] : []));
      expect(new Set(held)).toEqual(new Set([running.port]));
    }
  });
});

/** A supervisor of an app that does nothing. */
const startIdle = (env: Record<string, string>): Running =>
  start([CLUSTER, '--config', appFile(IDLE, IDLE_FIELDS)], env);

describe('the folder of the socket', () => {
  test('a link in place of the pid file is replaced, its target is kept', async () => {
    const env = { RUN_DIR: folder() };
    const target = join(folder(), 'precious');
    writeFileSync(target, 'precious');
    symlinkSync(target, join(env.RUN_DIR, 'supervisor.pid'));
    const running = startIdle(env);
    await until(() => existsSync(join(env.RUN_DIR, 'supervisor.sock')), 'the socket is there');
    expect(readFileSync(target, 'utf8')).toBe('precious');
    expect(readFileSync(join(env.RUN_DIR, 'supervisor.pid'), 'utf8')).toBe(`${running.pid}\n`);
  });

  test('a file in place of the socket is kept: the service runs without commands, and says why', async () => {
    const env = { RUN_DIR: folder() };
    const socket = join(env.RUN_DIR, 'supervisor.sock');
    writeFileSync(socket, 'precious');
    const running = startIdle(env);
    await running.said(
      /^Commands cannot reach this supervisor: .*supervisor\.sock is not a socket; remove it$/,
    );
    expect(readFileSync(socket, 'utf8')).toBe('precious');
  });

  test('a folder that was moved away is made again', async () => {
    const env = { RUN_DIR: join(folder(), 'run') };
    startIdle(env);
    await until(() => existsSync(join(env.RUN_DIR, 'supervisor.sock')), 'the socket is there');
    renameSync(env.RUN_DIR, `${env.RUN_DIR}.moved`);
    await until(() => existsSync(join(env.RUN_DIR, 'supervisor.sock')), 'the socket is there again');
  });

  test('a command does not talk to a socket that others can replace', async () => {
    const open = folder();
    const env = { RUN_DIR: join(open, 'run') };
    startIdle(env);
    await until(() => existsSync(join(env.RUN_DIR, 'supervisor.sock')), 'the socket is there');
    chmodSync(open, 0o777);
    const status = start([CLUSTER, 'status', '--config', appFile(IDLE, IDLE_FIELDS)], env);
    expect((await status.ended).code).toBe(1);
    expect(status.text()).toContain(`${open} is writable by other users`);
  });
});

describe('another program at the socket', () => {
  /** Answers every request with these bytes, then closes. */
  async function impostor(at: string, bytes: string): Promise<Server> {
    const server = createServer(socket => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(bytes));
    }).listen(join(at, 'supervisor.sock'));
    await once(server, 'listening');
    return server;
  }

  test.each([
    ['in the middle of its answer', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"sup'],
    ['after JSON that is no status', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull'],
    ['after no HTTP', 'hello\r\n\r\n'],
  ])('that closes %s: a start is refused, a command says so', async (_, bytes) => {
    const env = { RUN_DIR: folder() };
    const server = await impostor(env.RUN_DIR, bytes);
    try {
      const second = startIdle(env);
      expect((await second.ended).code).toBe(1);
      expect(second.text()).toContain(
        'A supervisor of this service is already running (pid unknown, does not answer',
      );
      const status = start([CLUSTER, 'status', '--config', appFile(IDLE, IDLE_FIELDS)], env);
      expect((await status.ended).code).toBe(1);
      expect(status.text()).toMatch(
        /^(What answers at|The supervisor ended before it answered|No supervisor)/,
      );
      expect(status.text().trim().split('\n')).toHaveLength(1);
    } finally {
      server.close();
    }
  });

  test('that sends escape sequences does not reach the terminal with them', async () => {
    const env = { RUN_DIR: folder() };
    const body = JSON.stringify({
      app: '\u001b]0;owned\u0007',
      state: 'ready',
      wanted: 0,
      generation: 1,
      workers: [],
      supervisor: { pid: 1, uptime: 1, node: 'v1' },
      lastReload: null,
    });
    const server = await impostor(
      env.RUN_DIR,
      `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    try {
      const status = start([CLUSTER, 'status', '--config', appFile(IDLE, IDLE_FIELDS)], env);
      await status.ended;
      expect(status.text()).toContain(String.raw`\x1b]0;owned\x07 ready`);
    } finally {
      server.close();
    }
  });
});
