/** What operators see of a service under PM2: in PM2's own commands, and in `status`. */
import { Pm2 } from '../support/pm2.js';
import { cleanUp, CLUSTER, folder, freePort, request, start, until } from '../support/processes.js';

jest.setTimeout(120_000);

let pm2: Pm2;
let port: number;
/** The workers' sockets are there: no command meets those of another test's PM2. */
let TMPDIR: string;
beforeAll(async () => {
  port = await freePort();
  TMPDIR = folder();
  pm2 = new Pm2({ PORT: String(port), HOST: '127.0.0.1', WEB_CONCURRENCY: '2', TMPDIR });
  const { code, text } = await pm2.run('start', 'ecosystem.config.js');
  if (code !== 0) throw new Error(text);
});
afterAll(async () => {
  await pm2.end();
  await cleanUp();
});

const status = (...args: string[]) => statusIn({ PM2_HOME: pm2.home }, ...args);

async function statusIn(env: Readonly<Record<string, string>>, ...args: string[]) {
  const command = start([CLUSTER, 'status', ...args], { NO_COLOR: '1', TMPDIR, ...env });
  const { code } = await command.ended;
  return { code, text: command.text() };
}

test('`pm2 jlist` and `pm2 describe` show the figures of the worker', async () => {
  const metrics = async () => (await pm2.list())[0]?.pm2_env.axm_monitor ?? {};
  await until(async () => {
    await request(port, '/health');
    await request(port, '/health');
    return Number((await metrics())['Requests']?.value ?? 0) > 0;
  }, 'requests reach PM2');
  expect(await metrics()).toEqual({
    Requests: { value: expect.stringMatching(/^[\d.]+$/), unit: 'req/s' },
    'HTTP P99 Latency': { value: expect.stringMatching(/^[\d.]+$/), unit: 'ms' },
    'Requests in Flight': { value: expect.stringMatching(/^\d+$/), unit: '' },
    'Event Loop Utilization': { value: expect.stringMatching(/^[\d.]+$/), unit: '%' },
    'Used Heap Size': { value: expect.stringMatching(/^[\d.]+$/), unit: 'MiB' },
  });
  const { text } = await pm2.run('describe', '0');
  expect(text).toMatch(/Code metrics value/);
  expect(text).toMatch(/Used Heap Size\s*│ [\d.]+ MiB/);
});

test('`status` shows the service that PM2 runs', async () => {
  let found = { code: NaN as number | null, text: '' };
  await until(async () => {
    found = await status();
    return found.code === 0;
  }, 'both workers answer');
  const [head, , titles, ...rows] = found.text.trimEnd().split('\n');
  expect(head).toMatch(
    /^✓ cabe-arena-api ready: 2 of 2 workers serve {3}\(PM2, daemon pid \d+, node v[\d.]+\)$/,
  );
  expect(titles).toMatch(
    /^slot +pid +state +up +restarts +cpu +memory +gen +loop +req\/s +p99 +in flight +last exit$/,
  );
  expect(rows).toHaveLength(2);
  for (const row of rows)
    expect(row).toMatch(/^\d +\d+ +ready +.+? +0 +[\d.]+ % +[\d.]+ MB +- +[\d.]+ % +[\d.]+ +.*\d +-$/);
  const { workers, supervisor } = JSON.parse((await status('--json')).text) as {
    workers: { pid: number; slot: number }[];
    supervisor: { type: string };
  };
  expect(supervisor.type).toBe('pm2');
  const listed = (await pm2.list()).map(({ pid }) => pid);
  expect(new Set(workers.map(({ pid }) => pid))).toEqual(new Set(listed));
});

test.each([
  ['reload', /use "pm2 reload cabe-arena-api"$/],
  ['scale 3', /use "pm2 scale cabe-arena-api 3"$/],
  ['stop', /use "pm2 stop cabe-arena-api"$/],
  ['upgrade', /"pm2 reload cabe-arena-api" takes a new build, "pm2 update" a new Node or PM2/],
])('`%s` names the command of PM2', async (command, cure) => {
  const { ended, text } = start([CLUSTER, ...command.split(' ')], { PM2_HOME: pm2.home, TMPDIR });
  expect((await ended).code).toBe(2);
  expect(text().trimEnd()).toMatch(cure);
  expect(text()).toMatch(/^PM2 \(pid \d+\) runs cabe-arena-api, not the native supervisor: /);
});

test('`status` shows nothing of another PM2 where PM2_HOME names one, and finds it where nothing does', async () => {
  const empty = folder();
  const named = await statusIn({ PM2_HOME: empty });
  expect([named.code, named.text]).toEqual([1, expect.stringMatching(/^No supervisor runs this service/)]);
  const found = await statusIn({ PM2_HOME: '', HOME: empty });
  expect(found.text).toContain(`(PM2, daemon pid ${pm2.daemon}, `);
});

test('a worker that was restarted is counted, and a stopped service is not found', async () => {
  const [first] = await pm2.list();
  process.kill(first?.pid ?? NaN, 'SIGKILL');
  await until(async () => {
    const { code, text } = await status();
    return code === 0 && new RegExp(`\\n0 +(?!${first?.pid})\\d+ +ready +.+? +1 `).test(text);
  }, 'the new worker serves, restarted once');
  await pm2.run('stop', 'cabe-arena-api');
  const { code, text } = await status();
  expect([code, text]).toEqual([1, expect.stringMatching(/^No supervisor runs this service/)]);
});
