/** The live page's stream and orders on the management port: natively, under PM2 and alone. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import http from 'node:http';
import { serviceFolders, siblingsIn } from '../../src/observability/service-folder.js';
import { hangingAppFile, hangPath } from '../support/hangs.js';
import type { LiveWorker, Moment } from '../../src/live/messages.js';
import { liveStream, type LiveStream } from '../support/live-stream.js';
import { Pm2 } from '../support/pm2.js';
import { cleanUp, freePort, request, start, until, WORKER, type Answer } from '../support/processes.js';
import { service, serving, statusOf, type Service } from '../support/service.js';

const TOKEN = 'a-token-of-the-tests';

jest.setTimeout(90_000);

let stream: LiveStream | undefined;
afterEach(async () => {
  stream?.close();
  stream = undefined;
  await cleanUp();
});

interface Watched extends Service {
  readonly management: number;
  readonly stream: LiveStream;
}

async function watched(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Watched> {
  const management = await freePort();
  const running = await service({ workers: 2, args, env: { MANAGEMENT_PORT: String(management), ...env } });
  stream = liveStream(management);
  const { moments } = stream;
  await until(() => moments.at(-1)?.served === 2, 'both workers are shown');
  return Object.assign(running, { management, stream });
}

const order = (
  port: number,
  path: string,
  body: object,
  headers: http.OutgoingHttpHeaders = {},
): Promise<Answer> =>
  request(port, path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  });

const holderOf = (pids: readonly number[], port: number): number => pids.find(pid => listens(pid, port)) ?? 0;

/** Whether one of a process' sockets listens at this port (`/proc`). */
function listens(pid: number, port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');

  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map(row => row.trim().split(/\s+/));
  const inodes = rows
    .filter(row => row[1]?.endsWith(`:${hex}`) && row[3] === '0A')
    .map(row => `socket:[${row[9]}]`);
  return readdirSync(`/proc/${pid}/fd`).some(fd => {
    try {
      return inodes.includes(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      return false; // closed meanwhile
    }
  });
}

const isHealthShown = ({ routes }: Moment): boolean => routes.some(({ route }) => route === '/health');

test('moments, routes, log lines and a crash arrive; the history survives the worker that holds the port', async () => {
  const running = await watched();
  const { moments, lifecycle, log, histories } = running.stream;
  // The log is followed from a moment after the viewer has come.
  await until(async () => {
    await request(running.port, '/health', { headers: { 'X-Request-Id': 'seen-live' } });
    return log.some(({ requestId }) => requestId === 'seen-live') && moments.some(isHealthShown);
  }, 'the request is in the log, and its route is shown');
  expect(moments.at(-1)).toMatchObject({
    app: 'cabe-arena-api',
    supervisedBy: 'native',
    state: 'ready',
    wanted: 2,
  });
  expect(moments.at(-1)?.workers.map(({ slot, state }) => [slot, state])).toEqual([
    [0, 'ready'],
    [1, 'ready'],
  ]);

  const holder = holderOf(await serving(running), running.management);
  const killed = Date.now();
  process.kill(holder, 'SIGKILL');
  await until(
    () => lifecycle.some(({ kind, pid }) => kind === 'crash' && pid === holder),
    'the crash is shown',
  );
  expect(lifecycle.find(({ pid, kind }) => kind === 'crash' && pid === holder)?.text).toMatch(/SIGKILL/);
  await until(() => {
    const pids = serviceFolders(running.pid)
      .flatMap(siblingsIn)
      .map(({ pid }) => pid);
    return pids.length === 2 && !pids.includes(holder);
  }, 'its socket is removed');
  const history = histories.at(-1);
  expect(histories.length).toBeGreaterThan(1);
  expect(history?.moments[0]?.at).toBeLessThan(killed);
});

test('a blocked loop is shown within 2 s, with its stack', async () => {
  const running = await watched(['--config', hangingAppFile()]);
  const { lifecycle } = running.stream;
  await request(running.port, hangPath('loop', 20_000));
  // On a busy machine the supervisor may be the first to miss a heartbeat.
  const found = () =>
    lifecycle.find(({ kind, text }) => kind === 'hang' && text.includes(' has been blocked '));
  await until(() => found() !== undefined, 'the block is shown');
  const hang = found();
  const [, seconds] = /^Worker \d+ has been blocked for (\d\.\d) s$/.exec(hang?.text ?? '') ?? [];
  expect(Number(seconds)).toBeLessThan(3);
  expect(hang?.stack).toMatch(/app\.js:\d+/);
});

test('orders need the token, and no other site gives them', async () => {
  const running = await watched([], { MANAGEMENT_TOKEN: TOKEN });
  const { management } = running;
  const Authorization = `Bearer ${TOKEN}`;
  expect((await order(management, '/scale', { instances: 1 })).status).toBe(401);
  expect(
    (await order(management, '/scale', { instances: 1 }, { Authorization: `${Authorization}x` })).status,
  ).toBe(401);
  const foreign = await order(management, '/stop', {}, { Authorization, Origin: 'http://other.example' });
  expect([foreign.status, foreign.json()]).toEqual([
    403,
    { ok: false, reason: 'an order of another site is refused' },
  ]);
  expect((await request(management, '/stop', { headers: { Authorization } })).status).toBe(405);
  const nonsense = await order(management, '/scale', { instances: 'many' }, { Authorization });
  expect(nonsense.status).toBe(400);

  const Origin = `http://127.0.0.1:${management}`;
  const scaled = await order(management, '/scale', { instances: 1 }, { Authorization, Origin });
  expect([scaled.status, scaled.json()]).toEqual([202, { ok: true }]);
  await until(async () => (await statusOf(running)).workers.length === 1, 'there is one worker');
  await until(() => running.stream.moments.at(-1)?.wanted === 1, 'that is shown');
  const profile = await order(management, '/diagnose', { slot: 0, kind: 'report' }, { Authorization });
  expect(profile.headers['content-disposition']).toMatch(/^attachment; filename="[\w.:-]+"$/);
  expect(profile.json()).toMatchObject({ header: { processId: expect.any(Number) } });
  expect((await order(management, '/diagnose', { slot: 7, kind: 'cpu' }, { Authorization })).status).toBe(
    404,
  );
});

test('without a token there are no orders', async () => {
  const running = await watched();
  const refused = await order(running.management, '/stop', {}, { Authorization: 'Bearer undefined' });
  expect(refused.status).toBe(403);
  expect(refused.json()).toEqual({
    ok: false,
    reason: 'orders are off; set MANAGEMENT_TOKEN to allow them',
  });
  expect((await statusOf(running)).served).toBe(2);
});

test('a worker alone shows itself, and no page to a name that was made to point here', async () => {
  const [port, management] = [await freePort(), await freePort()];
  const running = start([WORKER], {
    PORT: String(port),
    MANAGEMENT_PORT: String(management),
    MANAGEMENT_TOKEN: TOKEN,
  });
  await running.said(/HTTP server started successfully/);
  stream = liveStream(management);
  const { moments } = stream;
  await until(() => moments.at(-1)?.served === 1, 'it shows itself');
  expect(moments.at(-1)).toMatchObject({
    supervisedBy: 'none',
    workers: [{ slot: 0, pid: running.pid, state: 'ready' }],
  });
  const page = await request(management, '/');
  expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
  expect(page.text).toMatch(/^<!doctype html>/i);
  expect((await request(management, '/live', { method: 'HEAD' })).status).toBe(405);
  const rebound = await request(management, '/', { headers: { Host: `evil.example:${management}` } });
  expect(rebound.status).toBe(403);
  const alone = await order(management, '/reload', {}, { Authorization: `Bearer ${TOKEN}` });
  expect([alone.status, alone.json()]).toEqual([
    409,
    { ok: false, reason: 'this worker runs alone: no supervisor takes orders' },
  ]);
});

test('at most twenty look at the same time', async () => {
  const running = await watched();
  const viewers = Array.from({ length: 19 }, () =>
    http
      .get({ host: '127.0.0.1', port: running.management, path: '/live', agent: false })
      .on('error', () => undefined),
  );
  await Promise.all(viewers.map(viewer => new Promise(resolve => viewer.once('response', resolve))));
  const refused = await request(running.management, '/live');
  expect([refused.status, refused.json()]).toEqual([503, { reason: '20 look at this page already' }]);
  for (const viewer of viewers) viewer.destroy();
});

test('under PM2 dead and replaced workers are shown, and its commands are named', async () => {
  const [port, management] = [await freePort(), await freePort()];
  const pm2 = new Pm2({
    PORT: String(port),
    HOST: '127.0.0.1',
    WEB_CONCURRENCY: '2',
    MANAGEMENT_PORT: String(management),
    MANAGEMENT_TOKEN: TOKEN,
  });
  try {
    const { code, text } = await pm2.run('start', 'ecosystem.config.js');
    if (code !== 0) throw new Error(text);
    stream = liveStream(management);
    const { moments, lifecycle } = stream;
    await until(() => moments.at(-1)?.served === 2, 'both workers are shown', 20_000);
    expect(moments.at(-1)).toMatchObject({ app: 'cabe-arena-api', supervisedBy: 'pm2', state: 'ready' });
    const nonsense = await order(management, '/scale', {}, { Authorization: `Bearer ${TOKEN}` });
    expect(nonsense.status).toBe(400);
    const reload = await order(management, '/scale', { instances: 3 }, { Authorization: `Bearer ${TOKEN}` });
    expect(reload.json()).toEqual({
      ok: false,
      reason: 'PM2 runs this service: use "pm2 scale cabe-arena-api 3"',
    });
    const pids = moments.at(-1)?.workers.map(({ pid }) => pid ?? 0) ?? [];
    const holder = holderOf(pids, management);
    const other = pids.find(pid => pid !== holder) ?? 0;
    for (const victim of [other, holder]) {
      process.kill(victim, 'SIGKILL');
      await until(
        () => lifecycle.some(({ kind, pid }) => kind === 'crash' && pid === victim),
        'the death is shown',
      );
      await until(
        () =>
          moments.at(-1)?.served === 2 && moments.at(-1)?.workers.every(({ pid }) => pid !== victim) === true,
        'its successor is shown',
        20_000,
      );
    }
    const old = moments.at(-1)?.workers.map(({ pid }) => pid ?? 0) ?? [];
    expect(await pm2.run('reload', 'cabe-arena-api')).toMatchObject({ code: 0 });
    const pidsOf = (kind: string): unknown[] =>
      lifecycle.filter(event => event.kind === kind).map(({ pid }) => pid);
    const isNew = ({ pid }: LiveWorker): boolean => pid !== null && !old.includes(pid);
    await until(
      () => moments.at(-1)?.served === 2 && moments.at(-1)?.workers.every(isNew) === true,
      'new workers serve',
    );
    await until(
      () => old.every(pid => pidsOf('stop').includes(pid)),
      'the ends of all old workers are shown',
    );
    const pidsNow = moments.at(-1)?.workers.map(({ pid }) => pid);
    expect(pidsOf('ready')).toEqual(expect.arrayContaining(pidsNow ?? []));
  } finally {
    await pm2.end();
  }
});
