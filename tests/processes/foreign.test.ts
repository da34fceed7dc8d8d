/** Programs that are not ours, and call `listen` themselves, beside what a service of our own promises. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { appFile, messages, statusOf } from '../support/service.js';
import { cleanUp, CLUSTER, folder, freePort, request, start, until } from '../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** Listens on PORT; what becomes of a failure is up to `onError`. */
const server = (onError: string): string =>
  `require('node:http').createServer((_, response) => response.end('served'))${onError}.listen(process.env.PORT);`;

describe('a port that another process has', () => {
  let taken: ReturnType<typeof createServer>;
  let port: number;
  beforeEach(async () => {
    port = await freePort();
    taken = createServer().listen(port);
    await once(taken, 'listening');
  });
  afterEach(() => new Promise(resolve => taken.close(resolve)));

  const holder = (): string => `Port ${port} is already in use by pid ${process.pid} `;

  test('ends a program that exits for it with code 6, at once and with the name of the process', async () => {
    const env = { PORT: String(port), RUN_DIR: folder() };
    const running = start([CLUSTER, '--config', appFile(server(''))], env);
    expect(await running.ended).toEqual({ code: 6, signal: null });
    expect(messages(running).at(-1)).toMatch(/^No worker left, master process exiting with code 6: /);
    expect(messages(running).at(-1)).toContain(holder());
    // Two workers were forked, and no more.
    expect(messages(running).filter(msg => msg.startsWith('Forking worker'))).toHaveLength(2);
  });

  test('is said of a program that lives on; it may have other things to do', async () => {
    const file = appFile(server(`.on('error', () => setInterval(() => undefined, 1000))`), {
      instances: 1,
      listen_timeout: 500,
    });
    const env = { PORT: String(port), RUN_DIR: folder() };
    const running = start([CLUSTER, '--config', file], env);
    await running.said(/^Worker \d+ cannot listen: /);
    expect(messages(running).at(-1)).toContain(holder());
    await until(async () => (await statusOf({ env })).state === 'ready', 'it counts as ready, being alive');
  });

  test('is no reason for an exit of a program that has found another one', async () => {
    const other = await freePort();
    const file = appFile(
      `const server = require('node:http').createServer((_, response) => response.end('served'));
       server.once('error', () => server.listen(${other})).listen(process.env.PORT);
       server.on('listening', () => setTimeout(process.exit, 1_500, 1));`,
      { instances: 1, wait_ready: true, max_restarts: 1, listen_timeout: 5_000 },
    );
    const running = start([CLUSTER, '--config', file], { PORT: String(port), RUN_DIR: folder() });
    await until(
      () =>
        request(other, '/').then(
          () => true,
          () => false,
        ),
      'it serves on the other port',
    );
    expect(await running.ended).toEqual({ code: 3, signal: null });
    expect(messages(running).at(-1)).toBe(
      'No worker left, master process exiting with code 3: exited (code 1)',
    );
  });
});

/**
 * The recipe of docs/signals.md: a second signal means "now", but the echo of the first one does not.
 * `/slow` takes a while to be answered.
 */
const PATIENT = `
  let orderedAt;
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => {
      console.log('got ' + signal);
      const now = performance.now();
      if (orderedAt !== undefined && now - orderedAt > 500) process.exit(1);
      orderedAt ??= now;
      server.close(() => process.exit());
    });
  const server = require('node:http').createServer((request, response) => {
    if (request.url === '/slow') console.log('begun');
    setTimeout(() => response.end('served'), request.url === '/slow' ? 700 : 0);
  }).listen(process.env.PORT);`;

describe('a stop by a signal', () => {
  test.each([
    ['to the supervisor alone, as with KillMode=mixed', 'SIGTERM', (pid: number) => pid, ['got SIGINT']],
    [
      'to every process, as systemd does by default',
      'SIGTERM',
      (pid: number) => -pid,
      ['got SIGINT', 'got SIGTERM'],
    ],
  ] as const)('%s: %s', async (_name, signal, target, expected) => {
    const port = await freePort();
    const file = appFile(PATIENT, { instances: 1, kill_timeout: 5_000 });
    const running = start([CLUSTER, '--config', file], { PORT: String(port), RUN_DIR: folder() });
    await until(
      () =>
        request(port, '/').then(
          () => true,
          () => false,
        ),
      'it serves',
    );
    const slow = request(port, '/slow');
    await running.said(/^begun$/);
    process.kill(target(running.pid), signal);
    expect((await slow).text).toBe('served');
    expect(await running.ended).toEqual({ code: 0, signal: null });
    // Which of the two comes first is up to the system.
    expect(
      messages(running)
        .filter(msg => msg.startsWith('got '))
        .toSorted(),
    ).toEqual(expected);
  });
});
