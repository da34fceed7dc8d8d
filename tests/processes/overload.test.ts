/** The built worker in overload: what it refuses is counted, and probes are answered. */
import { burningWorker, burnPath } from '../support/burning.js';
import { scrape } from '../support/metrics.js';
import { cleanUp, freePort, request, start, until } from '../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

async function worker(env: Record<string, string>): Promise<{ port: number; management: number }> {
  const [port, management] = [await freePort(), await freePort()];
  const running = start([burningWorker()], {
    PORT: String(port),
    MANAGEMENT_PORT: String(management),
    ...env,
  });
  await running.said(/HTTP server started successfully/);
  await until(
    () =>
      request(management, '/livez').then(
        () => true,
        () => false,
      ),
    'the management port answers',
  );
  return { port, management };
}

test('refused requests are counted, and the others are answered', async () => {
  const { port, management } = await worker({ OVERLOAD_PROTECTION: 'on' });
  const sent = Promise.all(Array.from({ length: 150 }, () => request(port, burnPath(20))));
  const probes = [];
  for (const path of ['/livez', '/readyz', '/health']) probes.push((await request(port, path)).status);
  expect(probes).toEqual([200, 200, 200]);
  const statuses = (await sent).map(({ status }) => status);
  const refused = statuses.filter(status => status === 503).length;
  expect(refused).toBeGreaterThan(50);
  expect(statuses.filter(status => status === 200)).toHaveLength(150 - refused);
  const metrics = await scrape(management);
  expect(metrics.all('http_server_requests_shed_total', { reason: 'overload' })).toEqual([refused]);
});

test('without the setting every request waits for its answer', async () => {
  const { port, management } = await worker({});
  const answers = await Promise.all(Array.from({ length: 80 }, () => request(port, burnPath(20))));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 80 }, () => 200));
  expect((await scrape(management)).sum('http_server_requests_shed_total')).toBe(0);
});
