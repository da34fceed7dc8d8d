/** `upgrade`: another supervisor takes over, or nothing changes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { strictClient } from '../support/strict-client.js';
import { scrape } from '../support/metrics.js';
import { cleanUp, CLUSTER, folder, freePort, isAlive, request, start, until } from '../support/processes.js';
import {
  activated,
  answers,
  appFile,
  control,
  messages,
  OUR_FIELDS,
  OUR_WORKER,
  service,
  serving,
  statusOf,
  type Service,
} from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

interface Commanded {
  readonly code: number | null;
  readonly text: string;
}

async function command({ env }: Pick<Service, 'env'>, ...args: string[]): Promise<Commanded> {
  const given = start([CLUSTER, ...args], env);
  const { code } = await given.ended;
  return { code, text: given.text() };
}

/** Its workers count as stable soon. */
const quick = (): string => appFile(OUR_WORKER, { ...OUR_FIELDS, min_uptime: 100 });

const supervisorOf = async (running: Service): Promise<number> => (await statusOf(running)).supervisor.pid;

const COUNT = 'http_server_request_duration_seconds_count';

test('a successor takes over without losing a request, and keeps workers, counters and folders', async () => {
  const management = await freePort();
  const running = await service({
    orphan: true,
    env: { MANAGEMENT_PORT: String(management) },
  });
  expect(await command(running, 'scale', '3')).toMatchObject({ code: 0 });
  const client = strictClient({ port: running.port });
  await until(() => client.sent > 200, 'requests are sent');
  const [before, old] = [await scrape(management), await supervisorOf(running)];

  const upgrading = command(running, 'upgrade');
  await running.said(/^Upgrading: /);
  const reload = await control(running, 'POST', '/reload');
  expect(reload.json()).toEqual({ ok: false, reason: 'an upgrade is running; wait until it has ended' });
  await running.said(/^Forking 3 workers \(set by scale\)$/);
  const successor = Number((await running.said(/has taken over/)).msg.split(' ')[2]);
  expect(await upgrading).toEqual({
    code: 0,
    text: expect.stringContaining(
      `✓ Upgraded: supervisor pid ${successor}, node ${process.version}`,
    ) as string,
  });

  expect((await client.stop()).examples).toEqual([]);
  await until(() => !isAlive(old), 'the old supervisor has ended');
  expect(await supervisorOf(running)).toBe(successor);
  expect(await serving(running)).toHaveLength(3);
  expect(readFileSync(join(running.env['RUN_DIR'] ?? '', 'supervisor.pid'), 'utf8')).toBe(`${successor}\n`);
  await until(
    () =>
      scrape(management).then(
        metrics => metrics.sum('worker_up') === 3,
        () => false,
      ),
    'the metrics are those of the new workers',
  );
  expect((await scrape(management)).sum(COUNT)).toBeGreaterThan(before.sum(COUNT));
  expect(messages(running).filter(msg => msg.includes('MANAGEMENT_PORT'))).toEqual([]);

  expect(await command(running, 'stop')).toMatchObject({ code: 0 });
  expect(await answers(running.port)).toBe(false);
  await until(() => !isAlive(successor), 'the successor has ended');
});

test('a successor that fails changes nothing, and the next one takes over', async () => {
  const file = quick();
  const program = join(dirname(file), 'app.js');
  const running = await service({ workers: 1, orphan: true, args: ['--config', file] });
  const [old, workers] = [await supervisorOf(running), await serving(running)];
  const client = strictClient({ port: running.port });

  writeFileSync(program, 'process.exit(7);');
  const failed = await command(running, 'upgrade');
  expect(failed).toEqual({
    code: 1,
    text: expect.stringContaining('✗ upgrade failed: a new worker exited (code 7)') as string,
  });
  expect([await supervisorOf(running), await serving(running)]).toEqual([old, workers]);

  writeFileSync(program, OUR_WORKER);
  expect(await command(running, 'upgrade')).toMatchObject({ code: 0 });
  expect((await client.stop()).examples).toEqual([]);
  expect(await supervisorOf(running)).not.toBe(old);
});

test('a successor that systemd does not learn of gives the service back', async () => {
  const running = await service({
    workers: 1,
    args: ['--config', quick()],
    env: { NOTIFY_SOCKET: join(folder(), 'missing') },
  });
  const [old, workers] = [await supervisorOf(running), await serving(running)];
  const { code, text } = await command(running, 'upgrade');
  expect([code, text]).toEqual([1, expect.stringContaining('✗ upgrade failed: systemd gets no messages')]);
  expect([await supervisorOf(running), await serving(running)]).toEqual([old, workers]);
  expect((await request(running.port, '/health')).status).toBe(200);
});

test('a supervisor for whose end its parent waits is not replaced', async () => {
  const running = await service({ workers: 1 });
  const { code, text } = await command(running, 'upgrade');
  expect([code, text]).toEqual([1, expect.stringContaining(`✗ upgrade failed: pid ${process.pid}`)]);
});

test('the socket of systemd is handed on', async () => {
  const running = await activated({ workers: 1, orphan: true, args: ['--config', quick()] });
  const client = strictClient({ port: running.port });
  expect(await command(running, 'upgrade')).toMatchObject({ code: 0 });
  expect(await command(running, 'upgrade')).toMatchObject({ code: 0 });
  expect((await client.stop()).examples).toEqual([]);
});

test('a supervisor that dies during an upgrade leaves nothing behind', async () => {
  const running = await service({ workers: 1, orphan: true });
  const old = await supervisorOf(running);
  const upgrading = command(running, 'upgrade');
  const { pid: successor = 0 } = await running.said(
    ({ pid, msg }) => pid !== old && /^Master process \d+ is running/.test(msg),
  );
  process.kill(old, 'SIGKILL');
  expect(await upgrading).toMatchObject({ code: 1 });
  await until(() => !isAlive(successor), 'the successor has ended');
  await until(async () => !(await answers(running.port)), 'the port is free');
});
