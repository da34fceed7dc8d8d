/** What operators do to a service that runs, and what the app file asks of it: reloads, recycling, titles, signals. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { dirname, join } from 'node:path';
import {
  answers,
  appFile,
  control,
  messages,
  OUR_FIELDS,
  OUR_WORKER,
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
  follow,
  freePort,
  isAlive,
  ROOT,
  start,
  until,
  type Running,
} from '../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** The service of an app file of the test's own. */
async function foreign(file: string, more: readonly string[] = []): Promise<Service> {
  const port = await freePort();
  const env = { PORT: String(port), RUN_DIR: folder() };
  const running = start([CLUSTER, '--config', file, ...more], env);
  return Object.assign(running, { port, env });
}

const count = (running: Running, pattern: RegExp): number =>
  messages(running).filter(line => pattern.test(line)).length;

/** Writes a file anew, again and again: the first time, the watch may not have begun. */
async function untilNoticed(path: string, noticed: () => boolean): Promise<void> {
  let last = 0;
  await until(() => {
    if (performance.now() - last > 400) {
      writeFileSync(path, `// ${performance.now()}\n`);
      last = performance.now();
    }
    return noticed();
  }, `a change of ${path} is noticed`);
}

/** A request that is never answered: the rest of its body never comes. */
function hold(port: number): Promise<string> {
  return new Promise(resolve => {
    const held = http.request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/echo',
      headers: { 'Content-Type': 'application/json', 'Content-Length': '100' },
      agent: false,
    });
    held.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    held.flushHeaders();
  });
}

/** A request that is under way, and ends on demand. */
function begin(port: number): { readonly status: Promise<number>; finish(): void } {
  let slow: http.ClientRequest | undefined;
  const status = new Promise<number>((resolve, reject) => {
    slow = http.request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: '/echo',
        headers: { 'Content-Type': 'application/json', 'Content-Length': '2' },
        agent: false,
      },
      response => resolve(response.resume().statusCode ?? 0),
    );
    slow.on('error', reject).write('{');
  });
  return { status, finish: () => void slow?.end('}') };
}

describe('reloads without a command', () => {
  test('SIGHUP renews every worker', async () => {
    const running = await service();
    const before = served(running);
    running.kill('SIGHUP');
    await running.said(/^Master process received SIGHUP, reloading$/);
    await running.said(/^Reload finished$/);
    const after = await serving(running);
    expect(after).toHaveLength(2);
    expect(after.filter(pid => before.includes(pid))).toEqual([]);
    expect(before.filter(isAlive)).toEqual([]);
    expect((await statusOf(running)).generation).toBe(2);
  });

  test('watch: a file that changes is rolled out, an ignored one is not', async () => {
    const file = appFile(OUR_WORKER, {
      ...OUR_FIELDS,
      watch: true,
      ignore_watch: ['data'],
      watch_delay: 100,
      min_uptime: 100,
    });
    const at = dirname(file);
    mkdirSync(join(at, 'data'));
    const running = await foreign(file);
    await until(() => served(running).length === 2, 'every worker serves');
    const changed = (name: string) => () =>
      messages(running).some(line => line === `${join(at, name)} changed: reloading`);
    await untilNoticed(join(at, 'lib.js'), changed('lib.js'));
    await running.said(/^Reload finished$/);

    const reloads = count(running, /changed: reloading$/);
    writeFileSync(join(at, 'data', 'ignored.json'), '{}');
    writeFileSync(join(at, '.hidden'), '');
    await new Promise(resolve => setTimeout(resolve, 500)); // had it been noticed, it would have been logged by now
    expect(count(running, /changed: reloading$/)).toBe(reloads);
    writeFileSync(join(at, 'app.js'), `${OUR_WORKER} console.log('the new build');`);
    await until(changed('app.js'), 'the watch still watches');
    await running.said(/^the new build$/);
    expect(running.text()).not.toMatch(/ignored\.json|\.hidden/);
  });

  test('a reload follows what the app file says of cron_restart and watch by now', async () => {
    const fields = { ...OUR_FIELDS, instances: 1, min_uptime: 100, watch_delay: 100 };
    const file = appFile(OUR_WORKER, fields);
    const at = dirname(file);
    const rewrite = async (more: object): Promise<void> => {
      const app = { name: 'test-app', script: './app.js', exec_mode: 'cluster', ...fields, ...more };
      writeFileSync(file, `module.exports = ${JSON.stringify(app)}`);
      // One of its own may be under way already: that one may have read the file before.
      expect((await control(running, 'POST', '/reload')).json()).toEqual({ ok: true, reason: null });
    };
    const byCron = (): number => count(running, /^cron_restart /);
    const byWatch = (name: string): number => count(running, new RegExp(`${name} changed: reloading$`));

    const running = await foreign(file);
    await until(async () => (await serving(running).catch(() => [])).length === 1, 'it serves');
    await rewrite({ cron_restart: '* * * * * *' });
    await until(() => byCron() >= 2, 'the new cron_restart is followed');
    await rewrite({});
    const before = byCron();

    mkdirSync(join(at, 'a'));
    mkdirSync(join(at, 'b'));
    await rewrite({ watch: ['a'] });
    await untilNoticed(join(at, 'a', 'lib.js'), () => byWatch('a/lib.js') > 0);
    await rewrite({ watch: ['b'] });
    const seen = byWatch('a/lib.js');
    writeFileSync(join(at, 'a', 'lib.js'), '');
    await untilNoticed(join(at, 'b', 'lib.js'), () => byWatch('b/lib.js') > 0);
    expect([byCron(), byWatch('a/lib.js')]).toEqual([before, seen]);
  });

  test('--watch: the folder of the program, in addition to the app file', async () => {
    const file = appFile(OUR_WORKER, { ...OUR_FIELDS, instances: 1 });
    const running = await foreign(file, ['--watch']);
    await until(() => served(running).length === 1, 'the worker serves');
    await untilNoticed(
      join(dirname(file), 'lib.js'),
      () => count(running, /lib\.js changed: reloading$/) > 0,
    );
    await running.said(/^Reload finished$/);
    expect(served(running).length).toBeGreaterThanOrEqual(2);
  });

  test('cron_restart, down to the second', async () => {
    const file = appFile(OUR_WORKER, {
      ...OUR_FIELDS,
      instances: 1,
      min_uptime: 100,
      cron_restart: '* * * * * *',
    });
    const running = await foreign(file);
    await until(() => served(running).length >= 1, 'the worker serves');
    await until(() => served(running).length >= 3, 'it was replaced twice');
    expect(messages(running)).toContain('cron_restart (* * * * * *): reloading');
    expect(count(running, /^Reload finished$/)).toBeGreaterThanOrEqual(1);
    expect(running.text()).not.toMatch(/exited/);
    expect(await answers(running.port)).toBe(true);
  });
});

describe('what the app file hands to the workers', () => {
  const REPORTER = `
    const { SLOT, COUNT, NODE_APP_INSTANCE, GREETING } = process.env;
    console.log(JSON.stringify({ msg: 'report', SLOT, COUNT, NODE_APP_INSTANCE, GREETING, own: process.pid,
      argv: process.argv.slice(2), execArgv: process.execArgv, cwd: process.cwd() }));
    process.send('ready');
    process.on('message', message => message === 'shutdown' && process.exit(0));
    setInterval(() => undefined, 1000);`;

  const reports = (running: Running) => running.lines.filter(({ msg }) => msg === 'report');

  test('instance_var, increment_var, args, node_args, cwd and env reach them, and a slot keeps its numbers', async () => {
    const elsewhere = folder();
    const file = appFile(REPORTER, {
      wait_ready: true,
      shutdown_with_message: true,
      min_uptime: 100,
      instance_var: 'SLOT',
      increment_var: 'COUNT',
      args: "--fast 'two words'",
      node_args: '--stack-trace-limit=7 --no-warnings',
      cwd: elsewhere,
      script: '',
      env: { COUNT: 100, GREETING: 'hello' },
    });
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace('"script":""', `"script":"${join(dirname(file), 'app.js')}"`),
    );
    const running = await foreign(file);
    await until(() => reports(running).length === 2, 'both have reported');
    for (const report of reports(running)) {
      expect(report).toMatchObject({
        argv: ['--fast', 'two words'],
        execArgv: ['--enable-source-maps', '--stack-trace-limit=7', '--no-warnings'],
        cwd: elsewhere,
        GREETING: 'hello',
      });
      expect(report).not.toHaveProperty('NODE_APP_INSTANCE');
    }
    const numbers = (): string[] =>
      reports(running).map(({ SLOT, COUNT }) => `${String(SLOT)}:${String(COUNT)}`);
    expect(new Set(numbers())).toEqual(new Set(['0:100', '1:101']));

    const second = reports(running).find(({ SLOT }) => SLOT === '1');
    process.kill(Number(second?.['own']), 'SIGKILL');
    await until(() => reports(running).length === 3, 'the successor has reported');
    expect(numbers().at(-1)).toEqual('1:101');

    await control(running, 'POST', '/scale', '{"instances":1}');
    await control(running, 'POST', '/scale', '{"instances":2}');
    expect(numbers().at(-1)).toEqual('1:102'); // a slot is taken again, a number of the count never is
  });
});

describe('max_memory_restart', () => {
  test('a worker that has grown is replaced, its successor first', async () => {
    const grows = `process.on('SIGUSR2', () => { globalThis.hoard = Buffer.alloc(300 * 2 ** 20, 1); });`;
    const file = appFile(`${grows} ${OUR_WORKER}`, { ...OUR_FIELDS, max_memory_restart: '250M' });
    const running = await foreign(file);
    await until(() => served(running).length === 2, 'every worker serves');
    // The worker says so in its log a moment before the supervisor gets the message.
    await until(async () => (await serving(running)).length === 2, 'the supervisor knows it');
    const [other, victim = NaN] = await serving(running);
    process.kill(victim, 'SIGUSR2');
    const replacing = await running.said(
      new RegExp(
        `^Worker ${victim} exceeds max_memory_restart, replacing it: 3\\d\\d\\.\\d MB, limit 250\\.0 MB$`,
      ),
    );
    await running.said(new RegExp(`^Worker ${victim} disconnected$`));
    const said = messages(running);
    const ready = said.lastIndexOf(`Worker ${served(running)[2]} HTTP server started successfully`);
    expect(ready).toBeGreaterThan(said.indexOf(replacing.msg));
    expect(said.indexOf(`Disconnecting worker ${victim}`)).toBeGreaterThan(ready);
    expect(await serving(running)).toEqual([other, served(running)[2]]);
    expect((await statusOf(running)).workers).toMatchObject([{ restarts: 0 }, { restarts: 1 }]);
  });
});

describe('process titles', () => {
  const title = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');

  test('read like a status page', async () => {
    const running = await service();
    await until(() => title(running.pid).startsWith('master ready 2/2 '), 'the supervisor is ready');
    const workers = await serving(running);
    expect(workers.map(pid => title(pid).slice(0, 15))).toEqual(['worker 0 ready ', 'worker 1 ready ']);

    const held = hold(running.port);
    await until(() => answers(running.port), 'earlier connections have been accepted');
    running.kill();
    await until(() => title(running.pid).startsWith('master stopping'), 'the supervisor stops');
    await until(
      () => workers.some(pid => isAlive(pid) && /^worker \d draining/.test(title(pid))),
      'a worker drains',
    );
    running.kill('SIGINT');
    await held;
    await running.ended;
  });
});

describe('signals', () => {
  test('a second one does not wait for what the first one drains', async () => {
    const running = await service({ env: { DRAIN_TIMEOUT_MS: '600000' } });
    const held = hold(running.port);
    await until(() => answers(running.port), 'earlier connections have been accepted');
    running.kill('SIGTERM');
    await running.said(/^Master process received SIGTERM, shutting down all workers gracefully$/);
    running.kill('SIGINT');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(messages(running)).toContain('Master process received SIGINT again, killing all workers');
    expect(await held).toBe('ECONNRESET');
    expect(served(running).filter(isAlive)).toEqual([]);
  });

  test('Ctrl-C under npm, which hands on what the terminal has sent already, is one: requests are answered', async () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: { start: string };
    };
    const at = folder();
    const script = scripts.start.replace('node scripts/start.cjs', `node ${CLUSTER} --config ${APP_FILE}`);
    writeFileSync(join(at, 'package.json'), JSON.stringify({ scripts: { start: script } }));
    const port = await freePort();
    const { PATH = '', HOME = '' } = process.env;
    const running = follow(
      spawn('npm', ['start'], {
        cwd: at,
        env: { PATH, HOME, PORT: String(port), WEB_CONCURRENCY: '2', RUN_DIR: folder() },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      }),
    );
    await until(() => served(running).length === 2, 'every worker serves');
    const slow = begin(port);
    await until(() => answers(port), 'earlier connections have been accepted');
    process.kill(-running.pid, 'SIGINT');
    await running.said(/^Worker \d+ draining/);
    slow.finish();
    expect(await slow.status).toBe(404);
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(count(running, /^Master process received SIGINT/)).toBe(1);
    expect(running.text()).not.toMatch(/killing/i);
  });

  test('a terminal that is closed ends it with a drain, however often it says so', async () => {
    const at = folder();
    const log = join(at, 'log');
    const port = await freePort();
    const { PATH = '', HOME = '' } = process.env;
    const command = `exec ${process.execPath} ${CLUSTER} --config ${APP_FILE} > ${log} 2>&1`;
    const terminal = follow(
      spawn('script', ['-q', '-c', command, '/dev/null'], {
        env: { PATH, HOME, SHELL: '/bin/sh', PORT: String(port), WEB_CONCURRENCY: '2', RUN_DIR: at },
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      }),
    );
    const said = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
    await until(() => said().split('HTTP server started').length === 3, 'every worker serves');
    const supervisor = Number(/Master process (\d+) is running/.exec(said())?.[1]);
    try {
      const slow = begin(port);
      await until(() => answers(port), 'earlier connections have been accepted');
      terminal.kill('SIGKILL');
      await until(() => said().includes('received SIGHUP'), 'it notices');
      process.kill(supervisor, 'SIGHUP');
      slow.finish();
      expect(await slow.status).toBe(404);
      await until(() => !isAlive(supervisor), 'it ends');
      const lines = said().trim().split('\n');
      expect(lines.filter(line => line.includes('SIGHUP'))).toHaveLength(1);
      expect(lines.at(-1)).toContain('All workers disconnected, master process exiting');
      for (const line of lines) expect(line).toMatch(/^\{"level":30,/);
    } finally {
      if (isAlive(supervisor)) process.kill(supervisor, 'SIGKILL');
    }
  });

  test.each([
    ['EMFILE', 'received SIGHUP, reloading'],
    ['EACCES', 'received SIGHUP, reloading'],
    ['ENXIO', 'received SIGHUP, shutting down all workers gracefully'],
    ['EIO', 'received SIGHUP, shutting down all workers gracefully'],
  ])('SIGHUP where the terminal cannot be looked at (%s): %s', async (code, expected) => {
    const terminal = join(folder(), 'terminal.js');
    writeFileSync(
      terminal,
      `const fs = require('node:fs');
       const { openSync } = fs;
       let found = () => openSync('/dev/null');
       fs.openSync = (path, ...rest) => (path === '/dev/tty' ? found() : openSync(path, ...rest));
       process.on('SIGUSR2', () => {
         found = () => { throw Object.assign(new Error('${code}'), { code: '${code}' }); };
         console.log('it cannot');
       });`,
    );
    const running = await service({ workers: 1, env: { NODE_OPTIONS: `--require ${terminal}` } });
    running.kill('SIGUSR2');
    await running.said(/^it cannot$/);
    running.kill('SIGHUP');
    expect((await running.said(/received SIGHUP/)).msg).toBe(`Master process ${expected}`);
  });

  test('SIGTERM in the middle of a reload ends the successor, too', async () => {
    const file = appFile(OUR_WORKER, { ...OUR_FIELDS, listen_timeout: 60_000, kill_timeout: 300 });
    const running = await foreign(file);
    await until(() => served(running).length === 2, 'every worker serves');
    writeFileSync(join(dirname(file), 'app.js'), `setInterval(() => console.log('booting'), 50);`);
    running.kill('SIGHUP');
    await running.said(/^booting$/);
    running.kill('SIGTERM');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(messages(running)).toContain('Reload aborted: the service stops');
  });
});

describe('a supervisor that fails itself', () => {
  test('ends with code 1 and the reason; its workers answer what they have begun, and leave', async () => {
    const at = folder();
    const bomb = join(at, 'bomb.js');
    writeFileSync(bomb, `process.on('SIGUSR2', () => { throw new Error('injected'); });`);
    const running = await service({ env: { NODE_OPTIONS: `--require ${bomb}` } });
    const workers = await serving(running);
    const slow = begin(running.port);
    await until(() => answers(running.port), 'earlier connections have been accepted');
    running.kill('SIGUSR2');
    await until(() => !isAlive(running.pid), 'the supervisor is gone');
    slow.finish();
    expect(await slow.status).toBe(404);
    expect((await running.ended).code).toBe(1);
    const fatal = await running.said(({ level }) => level === 60);
    expect(fatal).toMatchObject({
      msg: `Master process ${running.pid} failed: injected`,
      err: { message: 'injected', stack: expect.stringContaining('bomb.js') },
    });
    await until(() => workers.every(pid => !isAlive(pid)), 'every worker has left');
    expect(count(running, /draining \(supervisor lost\)$/)).toBe(2);
    expect(await answers(running.port)).toBe(false);
  });
});
