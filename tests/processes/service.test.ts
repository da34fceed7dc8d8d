/** The native supervisor as its users run it: real forks, real signals. */
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Status } from '../../src/supervisor/report/status.js';
import { DEBOUNCE_MS } from '../../src/platform/debounce-signal.js';
import {
  cleanUp,
  CLUSTER,
  folder,
  freePort,
  isAlive,
  request,
  ROOT,
  start,
  until,
  type Running,
} from '../support/processes.js';
import { stateIn } from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

interface Service extends Running {
  readonly port: number;
  readonly env: Record<string, string>;
}

/** Our own service with two workers, all of them serving. */
async function service(env: Record<string, string> = {}, args: readonly string[] = []): Promise<Service> {
  const port = await freePort();
  const all = { PORT: String(port), WEB_CONCURRENCY: '2', RUN_DIR: folder(), NO_COLOR: '1', ...env };
  const running = start([CLUSTER, ...args], all);
  const workers = Number(all.WEB_CONCURRENCY);
  await until(
    () => running.lines.filter(({ msg }) => /HTTP server started successfully/.test(msg)).length >= workers,
    'every worker serves',
  );
  return Object.assign(running, { port, env: all });
}

/** From then on another signal is another wish. */
const afterEchoes = (): Promise<void> => new Promise(resolve => setTimeout(resolve, DEBOUNCE_MS + 100));

const command = (env: Record<string, string>, ...args: string[]): Running => start([CLUSTER, ...args], env);
const messages = ({ lines }: Running): string[] => lines.map(({ msg }) => msg);
const pidsOf = (running: Running): number[] =>
  running.lines.flatMap(({ msg }) => /^Worker (\d+) HTTP server started/.exec(msg)?.[1] ?? []).map(Number);

/** An app file of the test's own, with a program beside it. */
function app(program: string, fields: object = {}, others: Record<string, string> = {}): string {
  const at = folder();
  writeFileSync(join(at, 'app.js'), program);
  for (const [name, content] of Object.entries(others)) writeFileSync(join(at, name), content);
  writeFileSync(
    join(at, 'ecosystem.config.js'),
    `module.exports = { apps: [${JSON.stringify({ name: 'test-app', script: './app.js', exec_mode: 'cluster', instances: 2, ...fields })}] };`,
  );
  return join(at, 'ecosystem.config.js');
}

const SERVER = `
const http = require('node:http');
http.createServer((request, response) => response.end(String(process.pid))).listen(Number(process.env.PORT));
`;

describe('the log', () => {
  test('speaks the words that are agreed, as JSON with exactly the agreed keys', async () => {
    const running = await service();
    running.kill('SIGTERM');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    const said = messages(running);
    const [first, second] = pidsOf(running);
    expect(said.slice(0, 4)).toEqual([
      `Master process ${running.pid} is running`,
      'Forking 2 workers (WEB_CONCURRENCY=2)',
      'Forking worker 1/2',
      'Forking worker 2/2',
    ]);
    for (const pid of [first, second]) {
      const own = [
        `Worker ${pid} is online`,
        `Worker ${pid} starting`,
        `Worker ${pid} HTTP server started successfully`,
        `Disconnecting worker ${pid}`,
        `Worker ${pid} disconnected`,
      ];
      expect(said.filter(line => own.includes(line)).toSorted()).toEqual([...own].toSorted());
    }
    expect(said).toContain('Master process received SIGTERM, shutting down all workers gracefully');
    expect(said.at(-1)).toBe('All workers disconnected, master process exiting');
    for (const line of running.lines) {
      expect(Object.keys(line)).toEqual(['level', 'time', 'pid', 'hostname', 'env', 'msg']);
      expect(line).toMatchObject({ level: 30, env: 'production' });
    }
  });

  test('is readable in development, with the clock in front', async () => {
    const port = await freePort();
    const running = start([CLUSTER, '--env', 'development'], {
      PORT: String(port),
      WEB_CONCURRENCY: '1',
      RUN_DIR: folder(),
      NO_COLOR: '1',
    });
    await running.said(/HTTP server started/);
    expect(running.lines[0]?.msg).toMatch(
      /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] INFO: Master process \d+ is running$/,
    );
    for (const { msg } of running.lines) expect(msg).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] INFO: \S/);
  });

  test('counts all CPUs but one by default', async () => {
    const port = await freePort();
    const running = start([CLUSTER], { PORT: String(port), RUN_DIR: folder() });
    await running.said(/^Forking \d+ workers \(\d+ total CPUs?.*\)$/);
    await running.said(/HTTP server started/);
  });
});

describe('stopping', () => {
  test('a request in flight is answered after SIGTERM', async () => {
    const file = app(
      `require('node:http').createServer((q, r) => { console.log('got it'); setTimeout(() => r.end('done'), 500); }).listen(Number(process.env.PORT));
       process.on('SIGINT', () => setTimeout(() => process.exit(0), 1000));`,
      { kill_timeout: 5000 },
    );
    const port = await freePort();
    const running = start([CLUSTER, '--config', file], { PORT: String(port), RUN_DIR: folder() });
    await until(
      () =>
        request(port, '/').then(
          () => true,
          () => false,
        ),
      'it serves',
    );
    const answer = request(port, '/');
    await until(
      () => messages(running).filter(line => line === 'got it').length >= 2,
      'the request is in flight',
    );
    running.kill('SIGTERM');
    expect((await answer).text).toBe('done');
    expect(await running.ended).toEqual({ code: 0, signal: null });
  });

  test('Ctrl-C reaches the whole group: production drains', async () => {
    const running = await service();
    process.kill(-running.pid, 'SIGINT');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(messages(running)).toContain(
      'Master process received SIGINT, shutting down all workers gracefully',
    );
    expect(messages(running).at(-1)).toBe('All workers disconnected, master process exiting');
  });

  test('Ctrl-C in development ends at once', async () => {
    const running = await service({}, ['--env', 'development']);
    process.kill(-running.pid, 'SIGINT');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(running.text()).toMatch(/Master process received SIGINT, shutting down all workers at once/);
  });

  test('SIGTERM to every process at once, as systemd sends it, is one clean stop', async () => {
    const running = await service();
    process.kill(-running.pid, 'SIGTERM');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(messages(running).at(-1)).toBe('All workers disconnected, master process exiting');
  });

  test('a worker that ignores everything is killed at kill_timeout, and a second signal does not wait', async () => {
    const stubborn = `${SERVER} for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => {});`;
    const port = await freePort();
    const running = start([CLUSTER, '--config', app(stubborn, { kill_timeout: 300 })], {
      PORT: String(port),
      RUN_DIR: folder(),
    });
    await until(
      () =>
        request(port, '/').then(
          () => true,
          () => false,
        ),
      'it serves',
    );
    running.kill('SIGTERM');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(running.text()).toMatch(/Killing worker \d+/);

    const patient = start([CLUSTER, '--config', app(stubborn, { kill_timeout: 600_000 })], {
      PORT: String(port),
      RUN_DIR: folder(),
    });
    await until(
      () =>
        request(port, '/').then(
          () => true,
          () => false,
        ),
      'it serves again',
    );
    patient.kill('SIGTERM');
    await patient.said(/shutting down all workers gracefully/);
    await afterEchoes();
    patient.kill('SIGTERM');
    expect(await patient.ended).toEqual({ code: 0, signal: null });
  });
});

describe('a worker that dies', () => {
  test('is replaced in the same slot, and its real signal is logged', async () => {
    const running = await service();
    const [victim = NaN] = pidsOf(running);
    process.kill(victim, 'SIGKILL');
    await running.said(new RegExp(`^Worker ${victim} exited \\(signal SIGKILL\\)$`));
    await until(() => pidsOf(running).length === 3, 'a third worker serves');
    const { status } = await request(running.port, '/health');
    expect(status).toBe(200);
  });

  test('from the beginning and again and again ends the service with code 3 and its last words', async () => {
    const file = app('process.exit(7)', { max_restarts: 3 });
    const running = start([CLUSTER, '--config', file], { RUN_DIR: folder() });
    expect((await running.ended).code).toBe(3);
    expect(messages(running).at(-1)).toBe(
      'No worker left, master process exiting with code 3: exited (code 7)',
    );
    expect(messages(running).filter(line => line.startsWith('Forking worker'))).toHaveLength(6);
  });

  test('with one of stop_exit_codes is left alone; when all have, the service ends with code 4', async () => {
    const file = app('setTimeout(() => process.exit(9), 50)', { stop_exit_codes: [9] });
    const running = start([CLUSTER, '--config', file], { RUN_DIR: folder() });
    expect((await running.ended).code).toBe(4);
    expect(messages(running)).toContain('Slot 0 stopped: exited (code 9)');
  });

  test('after its work is done, without autorestart, ends the service with code 0', async () => {
    const running = start([CLUSTER, '--config', app('process.exit(0)', { autorestart: false })], {
      RUN_DIR: folder(),
    });
    expect((await running.ended).code).toBe(0);
  });

  test('a fork that fails is an event: the service heals when its folder is back', async () => {
    const at = folder();
    const cwd = join(at, 'cwd');
    mkdirSync(cwd);
    const port = await freePort();
    const file = app(SERVER, { cwd, instances: 1, script: join(at, 'app.js') });
    writeFileSync(join(at, 'app.js'), SERVER);
    const running = start([CLUSTER, '--config', file], { PORT: String(port), RUN_DIR: folder() });
    await until(
      () =>
        request(port, '/').then(
          () => true,
          () => false,
        ),
      'it serves',
    );
    const { text } = await request(port, '/');
    rmSync(cwd, { recursive: true });
    process.kill(Number(text), 'SIGKILL');
    await running.said(
      /^Forking a worker failed: .* does not exist any more \(ENOENT\); put it back, or restart the service$/,
    );
    mkdirSync(cwd);
    await until(
      () =>
        request(port, '/').then(
          answer => answer.text !== text,
          () => false,
        ),
      'it serves again',
    );
  });
});

describe('death of the supervisor', () => {
  test('kill -9: requests in flight are answered, every worker leaves, the port is free', async () => {
    const running = await service();
    const pids = pidsOf(running);
    const idle = await Promise.all(pids.map(() => request(running.port, '/health')));
    expect(idle.map(({ status }) => status)).toEqual([200, 200]);
    running.kill('SIGKILL');
    await until(() => pids.every(pid => !isAlive(pid)), 'every worker has left');
    await expect(request(running.port, '/health')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(running.text()).toMatch(/draining \(supervisor lost\)/);
  });

  test('suspended and resumed, it kills no worker', async () => {
    const file = app(`setTimeout(() => process.send('ready'), 300); console.log('worker ' + process.pid);`, {
      wait_ready: true,
      listen_timeout: 1_500,
      instances: 1,
    });
    const env = { RUN_DIR: folder() };
    const running = start([CLUSTER, '--config', file], env);
    const { msg } = await running.said(/^worker \d+$/);
    running.kill('SIGSTOP');
    await new Promise(resolve => setTimeout(resolve, 2_500)); // the suspension itself, longer than listen_timeout
    running.kill('SIGCONT');
    const statusNow = async (): Promise<Status> => {
      const status = command(env, 'status', '--json', '--config', file);
      await status.ended;
      return JSON.parse(status.text()) as Status;
    };
    await until(async () => (await statusNow()).state === 'ready', 'the service is ready');
    expect((await statusNow()).workers).toMatchObject([{ pid: Number(msg.split(' ')[1]), restarts: 0 }]);
    expect(running.text()).not.toMatch(/not ready|exited|Disconnecting/);
  });
});

describe('what cannot start', () => {
  test('a taken port is said once, with its owner, and exits with code 6', async () => {
    const port = await freePort();
    const holder = createServer().listen(port);
    try {
      const running = start([CLUSTER], { PORT: String(port), WEB_CONCURRENCY: '2', RUN_DIR: folder() });
      expect((await running.ended).code).toBe(6);
      expect(messages(running)).toEqual([
        expect.stringMatching(
          `^Port ${port} is already in use by pid ${process.pid} \\(.+\\); stop that process or set PORT$`,
        ),
      ]);
    } finally {
      holder.close();
    }
  });

  /** Programs that give the system's answer where a test cannot rely on it. */
  const resolverSays = (code: string): string =>
    `require('node:dns/promises').lookup = async () => { throw Object.assign(new Error(), { code: '${code}' }); };`;
  const NO_RIGHTS = `
    require('node:net')._createServerHandle = () => -require('node:os').constants.errno.EACCES;`;

  test.each([
    [
      { HOST: '203.0.113.1' },
      '',
      5,
      'Invalid configuration: HOST must be an address of this machine, or not set for all of them, got "203.0.113.1"',
    ],
    [
      { HOST: 'no.such.host' },
      resolverSays('ENOTFOUND'),
      5,
      'Invalid configuration: HOST must be a name that can be looked up, or an address of this machine, got "no.such.host"',
    ],
    [
      { HOST: 'some.host' },
      resolverSays('EAI_AGAIN'),
      1,
      'HOST=some.host cannot be looked up at the moment; try again later, or set HOST to an address of this machine',
    ],
    [
      { PORT: '80' },
      NO_RIGHTS,
      5,
      'Invalid configuration: PORT must be a port that this user may open, such as one from 1024 on, got 80',
    ],
  ])('%j, which cannot be bound, is logged once (%#)', async (where, world, code, sentence) => {
    const at = folder();
    writeFileSync(join(at, 'world.js'), world);
    const running = start([CLUSTER], {
      PORT: String(await freePort()),
      RUN_DIR: at,
      NODE_OPTIONS: `--require ${join(at, 'world.js')}`,
      ...where,
    });
    expect((await running.ended).code).toBe(code);
    expect(running.lines.map(({ level, msg }) => [level, msg])).toEqual([[60, sentence]]);
  });

  test('an invalid environment is reported as a whole, starts nothing, and exits with code 5', async () => {
    const running = start([CLUSTER], {
      PORT: 'abc',
      LOG_LEVEL: 'loud',
      WEB_CONCURRENCY: '0',
      DRAIN_TIMEOUT_MS: '10',
      RUN_DIR: folder(),
    });
    expect((await running.ended).code).toBe(5);
    const [line, ...others] = messages(running);
    expect(others).toEqual([]);
    expect(line).toMatch(/PORT must be a whole number from 0 to 65535, got "abc"/);
    expect(line).toMatch(
      /LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent, got "loud"/,
    );
    expect(line).toMatch(/WEB_CONCURRENCY must be a whole number from 1 to 1024, got "0"/);
    expect(line).toMatch(/DRAIN_TIMEOUT_MS must be a whole number from 1001/);
  });

  test('an invalid app file is reported as a whole and exits with code 5', async () => {
    const file = app(SERVER, { instances: 'many', kill_timeout: '3s', exec_mode: 'fork' });
    const running = start([CLUSTER, '--config', file], { RUN_DIR: folder() });
    expect((await running.ended).code).toBe(5);
    expect(messages(running)[0]).toMatch(/instances.*"many".*kill_timeout.*"3s".*exec_mode.*"fork"/);
  });

  test('our own program that is not built names the command that builds it', async () => {
    const at = folder();
    cpSync(join(ROOT, 'package.json'), join(at, 'package.json'));
    writeFileSync(
      join(at, 'ecosystem.config.js'),
      "module.exports = { name: 'x', script: './dist/index.js', exec_mode: 'cluster' };",
    );
    const running = start([CLUSTER, '--config', join(at, 'ecosystem.config.js')], { RUN_DIR: folder() });
    expect((await running.ended).code).toBe(5);
    expect(messages(running)[0]).toMatch(/does not exist; run "yarn build"/);
  });

  test('an unknown option or command is answered with the nearest known one and code 2', async () => {
    const option = start([CLUSTER, '--confg', 'x']);
    expect((await option.ended).code).toBe(2);
    expect(option.text()).toMatch(/--config/);
    const word = start([CLUSTER, 'relaod']);
    expect((await word.ended).code).toBe(2);
    expect(word.text()).toMatch(/did you mean reload\?/);
  });

  test('a second supervisor of the same service names the first one', async () => {
    const running = await service();
    const second = start([CLUSTER], running.env);
    expect((await second.ended).code).toBe(1);
    expect(second.text()).toMatch(new RegExp(`already running \\(pid ${running.pid}, .*RUN_DIR`));
    expect((await request(running.port, '/health')).status).toBe(200);
  });
});

test("an app that is not ours hears nothing but PM2's words", async () => {
  const file = app(
    `process.on('message', message => { console.log('got ' + JSON.stringify(message)); if (message === 'shutdown') process.exit(0); });
     process.send('ready'); setInterval(() => 0, 1_000);`,
    { wait_ready: true, shutdown_with_message: true, instances: 2 },
  );
  const env = { RUN_DIR: folder() };
  const running = start([CLUSTER, '--config', file], env);
  await until(async () => {
    const status = command(env, 'status', '--json', '--config', file);
    await status.ended;
    return stateIn(status.text()) === 'ready';
  }, 'both serve');
  running.kill('SIGTERM');
  await running.ended;
  const got = running.lines.map(({ msg }) => msg).filter(msg => msg.startsWith('got'));
  expect(got).toEqual(['got "shutdown"', 'got "shutdown"']);
});

describe('commands', () => {
  test('reload, scale, status and stop do what they say and tell how it ended', async () => {
    const running = await service();
    const before = pidsOf(running);
    const reload = command(running.env, 'reload');
    expect((await reload.ended).code).toBe(0);
    const renewed = pidsOf(running).filter(pid => !before.includes(pid));
    for (const [slot, pid] of renewed.entries())
      expect(reload.text()).toMatch(new RegExp(`slot ${slot}  pid ${pid}  ready[\\s\\S]*✓ Reloaded`));
    expect(before.filter(isAlive)).toEqual([]);

    const scale = command(running.env, 'scale', '3');
    expect((await scale.ended).code).toBe(0);
    const status = command(running.env, 'status', '--json');
    expect((await status.ended).code).toBe(0);
    const body = JSON.parse(status.text()) as {
      state: string;
      wanted: number;
      generation: number;
      workers: object[];
      lastReload: object;
    };
    expect(body).toMatchObject({
      app: 'cabe-arena-api',
      state: 'ready',
      wanted: 3,
      generation: 2,
      lastReload: { ok: true, reason: null },
    });
    expect(body.workers).toHaveLength(3);
    expect(body.workers[0]).toMatchObject({
      slot: 0,
      generation: 2,
      state: 'ready',
      restarts: 0,
      lastExit: null,
      pid: expect.any(Number),
      memory: expect.any(Number),
      cpu: expect.any(Number),
      uptime: expect.any(Number),
    });

    const table = command(running.env, 'status');
    await table.ended;
    expect(table.lines[0]?.msg).toMatch(/^✓ cabe-arena-api ready: 3 of 3 workers serve/);

    const stop = command(running.env, 'stop');
    expect((await stop.ended).code).toBe(0);
    expect(await running.ended).toEqual({ code: 0, signal: null });
  });

  test('a reload onto a build that crashes fails, says why, and changes nothing', async () => {
    const file = app(`${SERVER} process.send('ready');`, { wait_ready: true, min_uptime: 200 });
    const port = await freePort();
    const env = { PORT: String(port), RUN_DIR: folder() };
    const running = start([CLUSTER, '--config', file], env);
    // Every worker of the old build must have read its program before that is written over.
    await until(async () => {
      const status = command(env, 'status', '--json', '--config', file);
      await status.ended;
      return stateIn(status.text()) === 'ready';
    }, 'all of it serves');
    writeFileSync(join(file, '..', 'app.js'), 'process.exit(3)');
    const reload = command(env, 'reload', '--config', file);
    expect((await reload.ended).code).toBe(1);
    expect(reload.text()).toMatch(
      /✗ reload failed: the new worker of slot 0 exited \(code 3\) before it was ready/,
    );
    const advice =
      '\n  The failed build is still in place: a worker that exits from now on is replaced with it. Restore the former build, or deploy another one, and reload\n';
    expect(reload.text()).toContain(advice);
    const [abort = '', next] = messages(running).slice(-2);
    expect([abort.slice(0, 16), next]).toEqual(['Reload aborted: ', advice.trim()]);
    const status = command(env, 'status', '--config', file);
    expect((await status.ended).code).toBe(0);
    expect(status.text()).toContain(advice);
    expect((await request(port, '/')).status).toBe(200);
    expect(running.text()).not.toMatch(/Disconnecting/);

    writeFileSync(file, 'module.exports = {'); // not even a program any more
    const again = command({ ...env }, 'reload', '--config', file);
    expect((await again.ended).code).toBe(1);
    const refused = await running.said(/^Reload refused, nothing changes: /);
    const reason = refused.msg.replace('Reload refused, nothing changes: ', '');
    expect(reason).toMatch(/must be an app file in JavaScript/);
    expect(again.text()).toContain(`✗ reload failed: ${reason}\n`);
    running.kill('SIGHUP');
    await until(
      () => messages(running).filter(line => line === refused.msg).length === 2,
      'the signal is refused, too',
    );
    expect((await request(port, '/')).status).toBe(200);
  });

  test('without a supervisor they say where they looked', async () => {
    const status = command({ RUN_DIR: folder() }, 'status');
    expect((await status.ended).code).toBe(1);
    expect(status.text()).toMatch(
      /No supervisor runs this service: nothing listens at .*supervisor\.sock\n$/,
    );
  });

  test('check starts nothing, and tells what would run or what is wrong', async () => {
    const fine = start([CLUSTER, 'check'], { WEB_CONCURRENCY: '2', PORT: '3456' });
    expect((await fine.ended).code).toBe(0);
    expect(fine.text()).toMatch(/^ {2}port +3456\n {2}host +all addresses$/m);
    expect(fine.text()).toMatch(
      /✓ App file and environment are valid[\s\S]*workers +2 \(WEB_CONCURRENCY=2\)/,
    );
    const socket = join(folder(), 'supervisor.sock');
    const located = [
      start([CLUSTER, 'check'], { RUN_DIR: dirname(socket) }),
      start([CLUSTER, 'check', '--json'], { RUN_DIR: dirname(socket) }),
    ] as const;
    for (const { ended } of located) expect((await ended).code).toBe(0);
    expect(located[0].text()).toContain(`  socket    ${socket}\n`);
    expect(JSON.parse(located[1].text())).toMatchObject({ ok: true, socket });
    const broken = start([CLUSTER, 'check'], { PORT: 'abc' });
    expect((await broken.ended).code).toBe(5);
    expect(broken.text()).toMatch(/✗ The service could not start\n {2}PORT must be/);
  });

  test('the socket is for this user alone, and taken over when it is stale', async () => {
    const running = await service();
    const socket = join(running.env['RUN_DIR'] ?? '', 'supervisor.sock');
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(statSync(join(socket, '..')).mode & 0o777).toBe(0o700);
    running.kill('SIGKILL');
    await running.ended;
    await until(() => pidsOf(running).every(pid => !isAlive(pid)), 'its workers have left');
    expect(existsSync(socket)).toBe(true);
    const next = start([CLUSTER], running.env);
    await next.said(/HTTP server started/);
    await until(async () => (await command(running.env, 'status').ended).code === 0, 'it is ready');
  });

  test('where the folder cannot be made, one warning is said and the service runs', async () => {
    const at = folder();
    writeFileSync(join(at, 'file'), '');
    chmodSync(join(at, 'file'), 0o400);
    const running = await service({ RUN_DIR: join(at, 'file', 'below') });
    expect(messages(running).filter(line => /Commands cannot reach this supervisor/.test(line))).toHaveLength(
      1,
    );
    expect((await request(running.port, '/health')).status).toBe(200);
  });
});
