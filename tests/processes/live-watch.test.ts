/** A service as `monit` watches it. */
import { parseCommandLine } from '../../src/commands/command-line.js';
import { watchService, type WatchedService } from '../../src/commands/monit/watch-service.js';
import { Pm2 } from '../support/pm2.js';
import {
  APP_FILE,
  cleanUp,
  CLUSTER,
  folder,
  freePort,
  NO_PM2,
  request,
  ROOT,
  start,
  until,
} from '../support/processes.js';
import { service, serving } from '../support/service.js';

jest.setTimeout(90_000);
const { env } = process;
afterEach(async () => {
  process.env = env;
  await cleanUp();
});

/** What a command in a shell with these variables would watch. */
function watched(variables: Readonly<Record<string, string>>): Promise<WatchedService> {
  process.env = { ...env, PM2_HOME: NO_PM2, ...variables };
  return watchService(parseCommandLine(['status', '--config', APP_FILE], ROOT));
}

/** Requests arrive between two looks. */
async function untilRouteIsSeen(found: WatchedService, port: number): Promise<void> {
  await until(async () => {
    await request(port, '/api/status');
    const { routes } = await found.look();
    return routes.some(({ method, route }) => method === 'GET' && route === '/api/status');
  }, 'the route is seen');
}

test('natively: state, figures, routes; a stopped one is gone', async () => {
  const running = await service({ workers: 2 });
  const found = await watched(running.env);
  expect(found.supervisedBy).toBe('native');
  const pids = await serving(running);
  expect(await found.look()).toMatchObject({
    app: 'cabe-arena-api',
    supervisedBy: 'native',
    state: 'ready',
    served: 2,
    wanted: 2,
    workers: pids.map((pid, slot) => ({ slot, pid, state: 'ready', generation: 1, restarts: 0 })),
  });
  await untilRouteIsSeen(found, running.port);
  expect(found.folders()).toHaveLength(1);
  expect((await found.look()).workers.some(({ p50Ms }) => p50Ms !== null)).toBe(true);
  running.kill('SIGTERM');
  await running.ended;
  await expect(found.look()).rejects.toMatchObject({ code: 'NO_SUPERVISOR' });
});

test('after an upgrade of the supervisor: still the figures and the log of its workers', async () => {
  const running = await service({ workers: 1, orphan: true });
  const before = await watched(running.env);
  await before.look();
  const upgrade = start([CLUSTER, 'upgrade'], running.env);
  expect((await upgrade.ended).code).toBe(0);
  const after = await watched(running.env);
  for (const found of [before, after]) {
    await untilRouteIsSeen(found, running.port);
    expect(found.folders()).toHaveLength(1);
    expect((await found.look()).workers.some(({ p50Ms }) => p50Ms !== null)).toBe(true);
  }
});

test('under PM2: the same facts, as far as its workers know them', async () => {
  const port = await freePort();
  const pm2 = new Pm2({ PORT: String(port), WEB_CONCURRENCY: '2' });
  try {
    await pm2.run('start', 'ecosystem.config.js');
    const found = await watched({ PM2_HOME: pm2.home, RUN_DIR: folder() });
    expect(found).toMatchObject({ supervisedBy: 'pm2', client: undefined });
    expect(found.folders()).toHaveLength(1);
    await until(async () => (await found.look()).served === 2, 'both workers answer');
    expect(await found.look()).toMatchObject({
      app: 'cabe-arena-api',
      state: 'ready',
      wanted: 2,
      workers: [
        { slot: 0, generation: null, restarts: 0 },
        { slot: 1, generation: null, restarts: 0 },
      ],
    });
    await untilRouteIsSeen(found, port);
    await pm2.run('delete', 'all');
    await expect(found.look()).rejects.toMatchObject({ code: 'NO_SUPERVISOR' });
  } finally {
    await pm2.end();
  }
});
