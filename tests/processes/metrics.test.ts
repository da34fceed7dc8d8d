/** The management port: metrics and health of the whole service, even if single workers fail. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NAME, VERSION } from '../../src/version.js';
import { hangingAppFile, hangPath } from '../support/hangs.js';
import { isInstalled, scrape, type Metrics } from '../support/metrics.js';
import { Pm2 } from '../support/pm2.js';
import {
  APP_FILE,
  cleanUp,
  folder,
  follow,
  freePort,
  isAlive,
  request,
  start,
  until,
  WORKER,
  type Running,
} from '../support/processes.js';
import { control, service, serving, type Service } from '../support/service.js';

jest.setTimeout(90_000);
afterEach(cleanUp);

interface Managed {
  readonly port: number;
  readonly management: number;
}

async function alone(program = WORKER, env: Record<string, string> = {}): Promise<Running & Managed> {
  const [port, management] = [await freePort(), await freePort()];
  const running = start([program], { PORT: String(port), MANAGEMENT_PORT: String(management), ...env });
  await running.said(/HTTP server started successfully/);
  await until(() => answers(management), 'the management port answers');
  return Object.assign(running, { port, management });
}

async function natively(workers: number, args: readonly string[] = []): Promise<Service & Managed> {
  const management = await freePort();
  const running = await service({ workers, args, env: { MANAGEMENT_PORT: String(management) } });
  await until(async () => (await up(management)) === workers, 'all workers are up');
  return Object.assign(running, { management });
}

const answers = (port: number): Promise<boolean> =>
  request(port, '/livez').then(
    ({ status }) => status === 200,
    () => false,
  );

/** How many workers are up; 0 while none answers. */
const up = (management: number): Promise<number> =>
  scrape(management).then(
    metrics => metrics.sum('worker_up'),
    () => 0,
  );

const COUNT = 'http_server_request_duration_seconds_count';
const healthCount = (metrics: Metrics): number => metrics.sum(COUNT, { http_route: '/health' });

async function ask(port: number, times: number, path = '/health'): Promise<void> {
  for (let asked = 0; asked < times; asked++) await request(port, path);
}

/** A scrape once so many requests count: a worker counts when it has closed the exchange, which clients do not wait for. */
async function scrapeOf(management: number, requests: number): Promise<Metrics> {
  let metrics = await scrape(management);
  await until(async () => {
    metrics = await scrape(management);
    return metrics.sum(COUNT) >= requests;
  }, `${requests} requests are counted`);
  return metrics;
}

test('the number of a slot is not believed without a supervisor that has set it', async () => {
  const { management } = await alone(WORKER, { CABE_SLOT: '7' });
  expect((await scrape(management)).all('worker_up', { worker: '0' })).toHaveLength(1);
});

test('the version is that of the package', async () => {
  const { management } = await alone();
  const labels = { service_name: NAME, service_version: VERSION };
  expect((await scrape(management)).all('target_info', labels)).toEqual([1]);
});

test('requests are counted by method, route and status; a scan of random paths is one route', async () => {
  const { port, management } = await alone();
  await ask(port, 3);
  await request(port, '/health', { method: 'POST' });
  for (let path = 0; path < 50; path++) await ask(port, 1, `/random-${path}?x=${path}`);
  const metrics = await scrapeOf(management, 54);
  const counted = (http_route: string, status: string, method = 'GET'): number[] =>
    metrics.all(COUNT, {
      http_route,
      http_response_status_code: status,
      http_request_method: method,
      worker: '0',
    });
  expect(counted('/health', '200')).toEqual([3]);
  expect(counted('/health', '405', 'POST')).toEqual([1]);
  expect(counted('', '404')).toEqual([50]);
  expect(metrics.all(COUNT)).toHaveLength(3);
  expect(metrics.all('http_server_request_duration_seconds_bucket', { le: '+Inf' })).toEqual([3, 1, 50]);
  expect(metrics.sum('process_memory_usage_bytes')).toBeGreaterThan(20e6);
  expect(metrics.sum('v8js_memory_heap_used_bytes')).toBeGreaterThan(1e6);
});

(isInstalled('promtool') ? describe : describe.skip)('promtool', () => {
  test('finds nothing wrong', async () => {
    const { port, management } = await natively(2);
    await ask(port, 5);
    const { text } = await scrape(management);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    expect([status, stdout + stderr]).toEqual([0, '']);
  });
});

test('bad requests get a 4xx with a sentence; the port of the API has no metrics', async () => {
  const { port, management } = await alone();
  const missing = await request(management, '/nowhere');
  expect([missing.status, missing.json()]).toEqual([
    404,
    { reason: expect.stringContaining('/metrics') as string },
  ]);
  const posted = await request(management, '/metrics', { method: 'POST', body: 'x' });
  expect([posted.status, posted.headers.allow]).toEqual([405, 'GET, HEAD']);
  expect((await request(port, '/metrics')).status).toBe(404);
});

test('counters never fall when workers are killed, the one that holds the port included', async () => {
  const running = await natively(2);
  let before = 0;
  for (let round = 0; round < 3; round++) {
    await ask(running.port, 20);
    before = healthCount(await scrapeOf(running.management, before + 20));
    const pids = await serving(running);
    process.kill(pids[round % 2] ?? 0, 'SIGKILL');
    await until(() => answers(running.management), 'another worker holds the port', 1_500);
    expect(healthCount(await scrape(running.management))).toBeGreaterThanOrEqual(before);
    await until(async () => (await up(running.management)) === 2, 'the slot is filled again');
  }
  const metrics = await scrape(running.management);
  expect(metrics.sum('worker_restarts_total')).toBe(3);
  expect(metrics.all('worker_generation')).toEqual([1, 1]);
});

test('a slot that is scaled away is not missed', async () => {
  const running = await natively(2);
  expect((await control(running, 'POST', '/scale', '{"instances":1}')).status).toBe(200);
  await until(
    // The worker that held the port may be the one that has gone: another one takes the port over within a second.
    () =>
      scrape(running.management).then(
        metrics => metrics.all('worker_up').length === 1,
        () => false,
      ),
    'one slot is left',
  );
  expect((await scrape(running.management)).all('worker_up')).toEqual([1]);
});

test('counters outlive the crash of the only worker, and its folder goes with the service', async () => {
  const running = await natively(1);
  await ask(running.port, 7);
  const before = healthCount(await scrapeOf(running.management, 7));
  process.kill((await serving(running))[0] ?? 0, 'SIGKILL');
  await until(async () => (await up(running.management)) === 1, 'a new worker is up');
  expect(healthCount(await scrape(running.management))).toBeGreaterThanOrEqual(before);
  const shared = readdirSync(tmpdir()).filter(name => name.endsWith(`-${running.pid}-${running.port}`));
  expect(shared).toHaveLength(1);
  running.kill();
  await running.ended;
  expect(existsSync(join(tmpdir(), shared[0] ?? ''))).toBe(false);
});

test.each([1, 2])(
  'a scrape while a worker hangs is answered within a second and says so (of %i)',
  async workers => {
    const running = await natively(workers, ['--config', hangingAppFile()]);
    await request(running.port, hangPath('loop', 6_000));
    await running.said(/blocked for/);
    const asked = performance.now();
    const metrics = await scrape(running.management);
    expect(performance.now() - asked).toBeLessThan(1_000);
    expect(metrics.sum('worker_up')).toBe(workers - 1);
    expect(Math.max(...metrics.all('worker_blocked_seconds'))).toBeGreaterThanOrEqual(1);
    expect((await request(running.management, '/readyz')).status).toBe(workers === 1 ? 503 : 200);
  },
);

test('/status lists the slots and their processes', async () => {
  const { pid, management } = await alone();
  expect((await request(management, '/status')).json()).toMatchObject({
    status: 'ready',
    workers: [{ slot: 0, up: true, draining: 0 }],
    processes: [{ pid, phase: 'serving' }],
  });
});

test('a taken MANAGEMENT_PORT is one warning, and the service runs', async () => {
  const other = createHttp((_request, response) => response.end('mine')).listen(0, '127.0.0.1');
  await new Promise(resolve => other.once('listening', resolve));
  const { port: taken } = other.address() as { port: number };
  const port = await freePort();
  const running = start([WORKER], { PORT: String(port), MANAGEMENT_PORT: String(taken) });
  const { level } = await running.said(
    /MANAGEMENT_PORT \d+ of 127\.0\.0\.1 cannot be used, no metrics: .*EADDRINUSE/,
  );
  expect(level).toBe(40);
  expect((await request(port, '/health')).status).toBe(200);
  other.close();
});

test.each<[string, (socket: import('node:net').Socket) => unknown]>([
  ['answers garbage', socket => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ngarbage')],
  ['never answers', () => undefined],
])('a sibling that %s is left out within a second, and reported once', async (_what, answer) => {
  const { pid, port, management, lines } = await alone();
  const shared = readdirSync(tmpdir()).find(name => name.endsWith(`-${pid}-${port}`)) ?? '';
  const sibling: Server = createServer(socket => {
    socket.on('error', () => undefined);
    answer(socket);
  });
  sibling.listen(join(tmpdir(), shared, `worker-7-${process.pid}.sock`));
  for (let round = 0; round < 2; round++) {
    const asked = performance.now();
    const metrics = await scrape(management);
    expect(performance.now() - asked).toBeLessThan(1_000);
    expect([metrics.all('worker_up', { worker: '0' }), metrics.all('worker_up', { worker: '7' })]).toEqual([
      [1],
      [0],
    ]);
  }
  expect(lines.filter(({ msg }) => msg.includes('is missing in the metrics'))).toHaveLength(1);
  sibling.close();
});

test('under PM2 all workers are in one answer', async () => {
  const [port, management] = [await freePort(), await freePort()];
  const pm2 = new Pm2({ PORT: String(port), WEB_CONCURRENCY: '2', MANAGEMENT_PORT: String(management) });
  try {
    await pm2.run('start', APP_FILE);
    await until(async () => (await up(management)) === 2, 'both workers are up');
    await ask(port, 10);
    const before = await scrapeOf(management, 10);
    expect(healthCount(before)).toBe(10);
    const [{ pid } = { pid: 0 }] = await pm2.list();
    process.kill(pid, 'SIGKILL');
    await until(() => !isAlive(pid), 'it is gone');
    await until(() => answers(management), 'the port is held', 1_500);
    await until(async () => (await up(management)) === 2, 'both workers are up again');
    expect(healthCount(await scrape(management))).toBe(10);
  } finally {
    await pm2.end();
  }
});

/** A real Prometheus that scrapes this port; resolves with what it says to a query. */
async function prometheus(management: number): Promise<(query: string) => Promise<string[]>> {
  const [at, port] = [folder(), await freePort()];
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [{ job_name: 'api', static_configs: [{ targets: [`127.0.0.1:${management}`] }] }],
  };
  writeFileSync(join(at, 'prometheus.yml'), JSON.stringify(config));
  follow(
    spawn(
      'prometheus',
      [
        `--config.file=${join(at, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(at, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
    ),
  );
  return async query => {
    const path = `/api/v1/query?query=${encodeURIComponent(query)}`;
    const answer = await request(port, path).catch(() => undefined);
    const { data } = JSON.parse(answer?.status === 200 ? answer.text : '{}') as {
      data?: { result: { value: [number, string] }[] };
    };
    return (data?.result ?? []).map(({ value: [, value] }) => value);
  };
}

(isInstalled('prometheus') ? describe : describe.skip)('a real Prometheus', () => {
  test.each([['native'], ['pm2']])('scrapes a service under %s', async mode => {
    const pm2 = mode === 'pm2' ? new Pm2() : undefined;
    try {
      const { port, management } = pm2 === undefined ? await natively(2) : await underPm2(pm2);
      const query = await prometheus(management);
      await ask(port, 10);
      await until(async () => (await query('up{job="api"}'))[0] === '1', 'the scrape succeeds');
      await until(
        async () =>
          (await query('sum(http_server_request_duration_seconds_count{http_route="/health"})'))[0] === '10',
        'all requests have arrived',
      );
      expect(await query('worker_up')).toEqual(['1', '1']);
      expect(
        await query('histogram_quantile(0.5, sum by (le) (http_server_request_duration_seconds_bucket)) < 1'),
      ).toHaveLength(1);
    } finally {
      await pm2?.end();
    }
  });
});

async function underPm2(pm2: Pm2): Promise<Managed> {
  const [port, management] = [await freePort(), await freePort()];
  Object.assign(pm2.env, { PORT: String(port), WEB_CONCURRENCY: '2', MANAGEMENT_PORT: String(management) });
  await pm2.run('start', APP_FILE);
  await until(async () => (await up(management)) === 2, 'both workers are up');
  return { port, management };
}
