/** The figures that workers tell of themselves, in `status` and on the control socket. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { hangingAppFile, hangPath } from '../support/hangs.js';
import { cleanUp, CLUSTER, request, start, until } from '../support/processes.js';
import { service, serving, statusOf, type Service } from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

const foldersOf = ({ pid }: Service): string[] =>
  readdirSync(tmpdir()).filter(name => name.startsWith(`cabe-observer-${process.getuid?.() ?? 0}-${pid}-`));

async function rowOf(running: Service, pid = NaN) {
  return (await statusOf(running)).workers.find(worker => worker.pid === pid);
}

test('status tells requests, their p99, those in flight and the load of the event loop', async () => {
  const running = await service({ workers: 1 });
  const [pid = NaN] = await serving(running);
  for (let n = 0; n < 20; n++) await request(running.port, '/health');
  await until(async () => ((await rowOf(running, pid))?.requestsPerSecond ?? 0) > 0, 'requests are counted');
  const row = await rowOf(running, pid);
  expect(row?.p99).toBeGreaterThan(0);
  expect(row?.inFlight).toBe(0);
  expect(row?.eventLoopUtilization).toBeGreaterThanOrEqual(0);
  const command = start([CLUSTER, 'status'], running.env);
  expect((await command.ended).code).toBe(0);
  expect(command.text()).toMatch(/ gen {2}loop +req\/s +p99 +in flight {2}last exit\n/);
  expect(command.text()).toMatch(/ {2}1 +\d+\.\d % +\d+\.\d +[\d.]+ ms +0 +-\n/);
});

test('a worker whose event loop is blocked tells what is in flight all the same', async () => {
  const file = hangingAppFile();
  const running = await service({ workers: 1, args: ['--config', file], env: { WATCHDOG_TIMEOUT_MS: '0' } });
  const [pid = NaN] = await serving(running);
  await request(running.port, hangPath('loop', 20_000));
  const waiting = request(running.port, '/health').catch(() => undefined);
  await until(
    async () => (await rowOf(running, pid))?.eventLoopUtilization === 1,
    'the loop is known to be blocked',
  );
  process.kill(pid, 'SIGKILL');
  await waiting;
});

test('a worker that cannot be asked has no figures', async () => {
  const running = await service({ workers: 1, env: { OBSERVER: 'off' } });
  const [pid = NaN] = await serving(running);
  expect(await rowOf(running, pid)).toMatchObject({
    eventLoopUtilization: null,
    requestsPerSecond: null,
    p99: null,
    inFlight: null,
  });
  expect(foldersOf(running)).toEqual([]);
});

test('the folder of the sockets goes with the service, also when a worker was killed', async () => {
  const running = await service({ workers: 2 });
  const [victim = NaN] = await serving(running);
  await until(() => foldersOf(running).length === 1, 'there is a folder');
  process.kill(victim, 'SIGKILL');
  await running.said(new RegExp(`^Worker ${victim} exited`));
  running.kill('SIGTERM');
  await running.ended;
  expect(foldersOf(running)).toEqual([]);
});
