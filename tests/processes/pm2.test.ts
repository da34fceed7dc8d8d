/** The same app file and the same worker under real PM2. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APP_FILE, cleanUp, folder, freePort, isAlive, request, ROOT, until } from '../support/processes.js';
import { Pm2 } from '../support/pm2.js';

jest.setTimeout(120_000);

let pm2: Pm2;
let port: number;
beforeEach(async () => {
  port = await freePort();
  pm2 = new Pm2({ PORT: String(port), WEB_CONCURRENCY: '2' });
});
afterEach(async () => {
  await pm2.end();
  await cleanUp();
});

test('start, serve, log, reload, scale, stop, delete; and nothing is left', async () => {
  expect((await pm2.run('start', 'ecosystem.config.js')).code).toBe(0);
  const health = await request(port, '/health');
  expect(health.json()).toMatchObject({ status: 'ok', worker: expect.any(Number) });
  expect((await request(port, '/api/status')).json()).toMatchObject({
    message: 'Cabe Arena API is running',
    environment: 'production',
  });
  const first = (await pm2.list()).map(({ pid }) => pid);
  expect(first).toHaveLength(2);

  await until(
    () => pm2.logs().some(line => line.includes('GET /health')),
    'the access log has reached pm2 logs',
  );
  const lines = pm2.logs().map(line => JSON.parse(line) as Record<string, unknown>);
  for (const pid of first) {
    expect(lines).toContainEqual({
      level: 30,
      time: expect.any(Number),
      pid,
      hostname: expect.any(String),
      env: 'production',
      msg: `Worker ${pid} HTTP server started successfully`,
    });
  }

  expect((await pm2.run('reload', 'cabe-arena-api')).code).toBe(0);
  const second = (await pm2.list()).map(({ pid }) => pid);
  expect(second.filter(pid => first.includes(pid))).toEqual([]);
  expect(first.filter(isAlive)).toEqual([]);
  expect((await request(port, '/health')).status).toBe(200);

  await pm2.run('scale', 'cabe-arena-api', '3');
  expect(await pm2.list()).toHaveLength(3);
  await pm2.run('stop', 'cabe-arena-api');
  expect((await pm2.list()).map(({ pm2_env }) => pm2_env.status)).toEqual(['stopped', 'stopped', 'stopped']);
  await expect(request(port, '/health')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await pm2.run('delete', 'cabe-arena-api');
  expect(await pm2.list()).toEqual([]);
});

test('the app file starts from a folder with a space in its path', async () => {
  const at = join(folder(), 'my project');
  for (const name of ['dist', 'package.json', 'ecosystem.config.js'])
    cpSync(join(ROOT, name), join(at, name), { recursive: true });
  expect((await pm2.runFrom({ cwd: at }, 'start', 'ecosystem.config.js')).code).toBe(0);
  expect((await request(port, '/health')).status).toBe(200);
});

test('what is thrown while modules load reaches pm2 logs, with its stack', async () => {
  const at = folder();
  for (const name of ['dist', 'package.json', 'ecosystem.config.js'])
    cpSync(join(ROOT, name), join(at, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(at, 'node_modules'));
  writeFileSync(join(at, 'dist', 'worker.bundle.js'), "throw new Error('a feature is broken')");
  await pm2.runFrom({ cwd: at }, 'start', 'ecosystem.config.js');
  await until(
    () => pm2.logs().some(line => line.includes('could not load its program: a feature is broken')),
    'the line has reached pm2 logs',
  );
  const line = pm2.logs().find(text => text.includes('could not load its program')) ?? '';
  expect(JSON.parse(line)).toMatchObject({
    level: 60,
    err: { stack: expect.stringContaining('worker.bundle.js:1') },
  });
});

test('without a build it is said how to make one', async () => {
  const at = folder();
  copyFileSync(APP_FILE, join(at, 'ecosystem.config.js'));
  const { code, text } = await pm2.runFrom({ cwd: at }, 'start', 'ecosystem.config.js');
  expect(text).toContain(
    `${join(at, 'dist', 'index.js')} does not exist; run "yarn build" (or "npm run build") first\n`,
  );
  expect(code).toBe(1);
});

test('--env development reaches pm2 logs in its readable form', async () => {
  await pm2.run('start', 'ecosystem.config.js', '--env', 'development');
  await until(() => pm2.logs().length >= 4, 'both workers have spoken');
  for (const line of pm2.logs())
    expect(line).toMatch(
      /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] INFO: (Worker \d+ (starting|HTTP server started successfully)|Listening on http:\/\/localhost:\d+)$/,
    );
});

test('a taken port is one line in the log and no crash loop', async () => {
  const { createServer } = await import('node:net');
  const holder = createServer().listen(port);
  try {
    await pm2.run('start', 'ecosystem.config.js');
    await until(
      () => pm2.logs().filter(line => line.includes('is already in use')).length === 2,
      'both workers have said it',
    );
    await until(
      async () => (await pm2.list()).every(({ pm2_env }) => pm2_env.status !== 'online'),
      'PM2 has noticed',
    );
    expect((await pm2.list()).map(({ pm2_env }) => pm2_env.restart_time)).toEqual([0, 0]);
  } finally {
    holder.close();
  }
});

test('its daemon killed with SIGKILL: the workers drain and leave', async () => {
  await pm2.run('start', 'ecosystem.config.js');
  const pids = (await pm2.list()).map(({ pid }) => pid);
  process.kill(pm2.daemon, 'SIGKILL');
  await until(() => pids.every(pid => !isAlive(pid)), 'every worker has left');
  expect(pm2.logs().filter(line => line.includes('draining (supervisor lost)')).length).toBe(2);
});

test('a daemon that has taken its note away counts as alive until it has ended', async () => {
  const stand = spawn('sleep', ['60']);
  const note = join(pm2.home, 'pm2.pid');
  writeFileSync(note, String(stand.pid));
  expect(pm2.alive).toBe(true);
  rmSync(note);
  expect(pm2.alive).toBe(true);
  stand.kill('SIGKILL');
  await once(stand, 'exit');
  expect(pm2.alive).toBe(false);
});
