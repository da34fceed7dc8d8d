/** Nothing is lost: a client that forgives nothing, while the service is reloaded, scaled, stopped and killed. */
import {
  cleanUp,
  CLUSTER,
  folder,
  freePort,
  isAlive,
  start,
  until,
  type Running,
} from '../support/processes.js';
import { Pm2 } from '../support/pm2.js';
import { strictClient, type Report } from '../support/strict-client.js';

jest.setTimeout(120_000);
afterEach(cleanUp);

interface Service extends Running {
  readonly port: number;
  readonly env: Record<string, string>;
}

async function service(workers: number, more: Record<string, string> = {}): Promise<Service> {
  const port = await freePort();
  const env = {
    PORT: String(port),
    WEB_CONCURRENCY: String(workers),
    RUN_DIR: folder(),
    LOG_LEVEL: 'info',
    ...more,
  };
  const running = start([CLUSTER], env);
  await until(() => started(running).length >= workers, 'every worker serves');
  return Object.assign(running, { port, env });
}

const started = ({ lines }: Running): number[] =>
  lines.flatMap(({ msg }) => /^Worker (\d+) HTTP server started/.exec(msg)?.[1] ?? []).map(Number);

async function give(running: Service, ...args: string[]): Promise<void> {
  const command = start([CLUSTER, ...args], running.env);
  const { code } = await command.ended;
  expect([code, command.text()]).toEqual([0, expect.any(String)]);
}

const expectNothingLost = (report: Report): void => {
  expect(report).toMatchObject({ failures: {}, examples: [], answered: report.sent });
  expect(report.sent).toBeGreaterThan(100);
};

describe('native', () => {
  test('reloads in a row', async () => {
    const running = await service(2);
    const client = strictClient({ port: running.port });
    for (let reload = 0; reload < 3; reload++) await give(running, 'reload');
    expectNothingLost(await client.stop());
  });

  test('scaling up and down', async () => {
    const running = await service(2);
    const client = strictClient({ port: running.port });
    for (const workers of ['4', '1', '3']) await give(running, 'scale', workers);
    expectNothingLost(await client.stop());
  });

  test('kill -9 of the supervisor: what was sent before is answered', async () => {
    const running = await service(2);
    const client = strictClient({ port: running.port, newEveryMs: 0 });
    await until(() => client.sent > 500, 'there is load');
    running.kill('SIGKILL');
    const report = await client.stop();
    expectNothingLost(report);
    await until(() => started(running).every(pid => !isAlive(pid)), 'every worker has left');
  });

  test('SIGTERM: every request on a connection that was accepted is answered', async () => {
    const running = await service(2);
    const client = strictClient({ port: running.port, newEveryMs: 0 });
    await until(() => client.sent > 500, 'there is load');
    running.kill('SIGTERM');
    expectNothingLost(await client.stop());
    expect(await running.ended).toEqual({ code: 0, signal: null });
  });

  test.each([1, 2])('kills of one of %i workers: nobody is refused, nobody hangs', async workers => {
    const running = await service(workers);
    const client = strictClient({ port: running.port, keptAlive: 0, newEveryMs: 3 });
    let inFlight = 0;
    for (let kill = 0; kill < 5; kill++) {
      const before = started(running).length;
      const victim = started(running).filter(isAlive).at(-1) ?? NaN;
      // A connection may be accepted between this look and the kill.
      inFlight += client.opened + 1;
      process.kill(victim, 'SIGKILL');
      await until(() => started(running).length > before, 'its successor serves');
    }
    const { failures, sent, answered } = await client.stop();
    const { reset = 0, ...others } = failures;
    // Only what a worker was answering when it was killed can be lost.
    expect(others).toEqual({});
    expect(reset).toBeLessThanOrEqual(inFlight);
    expect(answered).toBe(sent - reset);
  });

  test('reloads through round robin, where the user asks for it', async () => {
    const running = await service(2, { NODE_CLUSTER_SCHED_POLICY: 'rr' });
    const client = strictClient({ port: running.port });
    for (let reload = 0; reload < 2; reload++) await give(running, 'reload');
    expectNothingLost(await client.stop());
  });
});

test('PM2: reloads in a row, scaling and stopping', async () => {
  const port = await freePort();
  const pm2 = new Pm2({ PORT: String(port), WEB_CONCURRENCY: '2' });
  try {
    await pm2.run('start', 'ecosystem.config.js');
    const client = strictClient({ port });
    for (let reload = 0; reload < 2; reload++)
      expect((await pm2.run('reload', 'cabe-arena-api')).code).toBe(0);
    await pm2.run('scale', 'cabe-arena-api', '3');
    await pm2.run('scale', 'cabe-arena-api', '2');
    expectNothingLost(await client.stop());
  } finally {
    await pm2.end();
  }
});
