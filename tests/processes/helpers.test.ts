/** `treekill`: what a worker has started ends with it, and not before it. */
import { processOf } from '../../src/platform/process-tree.js';
import { appFile, control, messages, OUR_FIELDS, OUR_WORKER, type Service } from '../support/service.js';
import { cleanUp, CLUSTER, folder, freePort, request, start, until } from '../support/processes.js';

jest.setTimeout(60_000);
const strays = new Set<number>();
afterEach(async () => {
  await cleanUp();
  for (const pid of living([...strays])) process.kill(pid, 'SIGKILL');
  strays.clear();
});

/** Starts a helper, which starts another one, tells their pids and lets go of the output. @param trap what the first does on SIGTERM */
const withHelpers = (trap = ''): string => `
  require('node:child_process')
    .spawn('sh', ['-c', \`${trap} sleep 60 >/dev/null 2>&1 & echo "helpers $$ $!"; exec >/dev/null 2>&1; wait; wait; wait\`], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });`;

const FIELDS = { ...OUR_FIELDS, instances: 1, min_uptime: 100 };

async function serves(program: string, fields: object): Promise<Service> {
  const port = await freePort();
  const env = { PORT: String(port), RUN_DIR: folder() };
  const running = start([CLUSTER, '--config', appFile(program, fields)], env);
  const service = Object.assign(running, { port, env });
  await until(() => helpers(service).length === 2, 'the helpers have been started');
  await until(
    () =>
      request(port, '/').then(
        () => true,
        () => false,
      ),
    'it serves',
  );
  return service;
}

/** The pids of all helpers that were ever started. */
function helpers(service: Service): number[] {
  const pids = messages(service).flatMap(msg => /^helpers (\d+) (\d+)$/.exec(msg)?.slice(1) ?? []);
  for (const pid of pids) strays.add(Number(pid));
  return pids.map(Number);
}

/** Those that live; one that has ended may still be listed, until the system's first process takes note of it. */
const living = (pids: readonly number[]): number[] => pids.filter(pid => processOf(pid) !== undefined);

const reload = async (service: Service): Promise<unknown> =>
  (await control(service, 'POST', '/reload')).json();

const FOREIGN = `require('node:http').createServer((_, response) => response.end('served')).listen(process.env.PORT);`;

describe.each([
  ['our worker', OUR_WORKER, FIELDS],
  ['another program', FOREIGN, { instances: 1, min_uptime: 100 }],
])('%s', (_name, program, fields) => {
  test('leaves no helper behind, in a reload and at the end', async () => {
    const service = await serves(`${withHelpers()} ${program}`, fields);
    const first = helpers(service);
    expect(await reload(service)).toEqual({ ok: true, reason: null });
    expect(living(first)).toEqual([]);
    expect(helpers(service)).toHaveLength(4);
    expect(living(helpers(service))).toHaveLength(2);
    service.kill();
    expect(await service.ended).toEqual({ code: 0, signal: null });
    expect(living(helpers(service))).toEqual([]);
  });

  test('leaves them with treekill: false', async () => {
    const service = await serves(`${withHelpers()} ${program}`, { ...fields, treekill: false });
    expect(messages(service).filter(msg => msg.includes('treekill'))).toEqual([]);
    service.kill();
    await service.ended;
    expect(living(helpers(service))).toHaveLength(2);
  });
});

test('a helper that does not leave is killed after kill_timeout', async () => {
  const service = await serves(`${withHelpers(`trap '' TERM;`)} ${OUR_WORKER}`, {
    ...FIELDS,
    kill_timeout: 1_500,
  });
  const before = performance.now();
  service.kill();
  expect(await service.ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - before).toBeGreaterThan(1_400);
  expect(living(helpers(service))).toEqual([]);
});

test('a second signal kills the helpers, too', async () => {
  const service = await serves(`${withHelpers(`trap '' TERM;`)} ${OUR_WORKER}`, {
    ...FIELDS,
    kill_timeout: 60_000,
  });
  service.kill('SIGTERM');
  await service.said(/^Disconnecting worker/);
  service.kill('SIGINT');
  expect(await service.ended).toEqual({ code: 0, signal: null });
  expect(living(helpers(service))).toEqual([]);
});

test('a request in flight still has its helper', async () => {
  // The answer comes from the helper, half a second after the request.
  const asking = `
    const { fork } = require('node:child_process');
    if (process.argv[2] === 'helper')
      process.on('message', () => setTimeout(() => process.send('answered by the helper'), 500));
    else {
      const helper = fork(__filename, ['helper']);
      console.log('helpers ' + helper.pid + ' ' + helper.pid);
      const server = require('node:http').createServer((request, response) => {
        if (request.url !== '/slow') return response.end();
        helper.once('message', text => response.end(text)).send('ask');
        console.log('asked');
      }).listen(process.env.PORT);
      process.once('SIGINT', () => server.close(() => process.exit()));
    }`;
  const service = await serves(asking, { instances: 1, kill_timeout: 5_000 });
  const slow = request(service.port, '/slow');
  await service.said(/^asked$/);
  service.kill();
  expect((await slow).text).toBe('answered by the helper');
  await service.ended;
  expect(living(helpers(service))).toEqual([]);
});
