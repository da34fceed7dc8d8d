/** What the shell may say to the native supervisor besides the service's own variables. */
import { join } from 'node:path';
import { cleanUp, CLUSTER, folder, freePort, start, until } from '../support/processes.js';
import { appFile, serving } from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

const LISTENS = `for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR2'])
  process.on(signal, () => { console.log('got ' + signal); process.exit(0); });
process.send('ready'); setInterval(() => 0, 1_000);`;

test.each([
  [{}, 'SIGINT'],
  [{ PM2_KILL_SIGNAL: 'SIGTERM' }, 'SIGTERM'],
  [{ PM2_KILL_SIGNAL: 'SIGUSR2' }, 'SIGUSR2'],
] as const)('with %j an app that hears signals is stopped with %s', async (settings, signal) => {
  const file = appFile(LISTENS, { wait_ready: true, instances: 1 });
  const env = { RUN_DIR: folder(), ...settings };
  const running = start([CLUSTER, '--config', file], env);
  await until(async () => (await serving({ env }).catch(() => [])).length === 1, 'it serves');
  running.kill('SIGTERM');
  expect((await running.ended).code).toBe(0);
  expect(running.lines.filter(({ msg }) => msg.startsWith('got')).map(({ msg }) => msg)).toEqual([
    `got ${signal}`,
  ]);
});

test('a RUN_DIR whose socket would have too long a path is refused at start, with the cure', async () => {
  const running = start([CLUSTER], { RUN_DIR: join(folder(), 'x'.repeat(100)) });
  expect((await running.ended).code).toBe(5);
  expect(running.lines).toHaveLength(1);
  expect(running.lines[0]?.msg).toMatch(/RUN_DIR must be a folder with a shorter path/);
});

test('a field of 0 where it makes no sense is refused, and so is every other one at once', async () => {
  const fields = ['kill_timeout', 'listen_timeout', 'max_restarts', 'max_memory_restart'];
  const file = appFile(LISTENS, Object.fromEntries(fields.map(name => [name, 0])));
  const running = start([CLUSTER, '--config', file], { RUN_DIR: folder() });
  expect((await running.ended).code).toBe(5);
  for (const name of fields) expect(running.text()).toMatch(new RegExp(`${name} must be [^;]*, got 0`));
});

test('a link-local HOST without its interface is refused with the cure', async () => {
  const running = start([CLUSTER], { HOST: 'fe80::1', PORT: String(await freePort()), RUN_DIR: folder() });
  expect((await running.ended).code).toBe(5);
  expect(running.lines.at(-1)?.msg).toMatch(/^Invalid configuration: HOST must be an address/);
});
