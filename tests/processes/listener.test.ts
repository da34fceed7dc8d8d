/** Where the service listens, which way connections reach its workers, and that none is refused or left hanging. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { canReusePort } from '../../src/supervisor/processes/tcp-handles.js';
import {
  activated,
  answers,
  appFile,
  messages,
  OUR_FIELDS,
  OUR_WORKER,
  served,
  service,
  serving,
  control,
  type Service,
} from '../support/service.js';
import { cleanUp, CLUSTER, folder, freePort, isAlive, request, start, until } from '../support/processes.js';
import { hasIPv6, listenersOf, socketsOf } from '../support/sockets.js';
import { strictClient } from '../support/strict-client.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** A socket for each slot where the platform can, one for all elsewhere. */
const PER_SLOT = canReusePort(process.versions.node, process.platform);

const WITHOUT_HANDLES = join(__dirname, '..', 'support', 'without-handles.cjs');

const LOOPBACKS = hasIPv6() ? ['127.0.0.1', '::1'] : ['127.0.0.1'];

/** The status of an answer, or the code of the error in its place. */
const outcome = (port: number, host: string): Promise<unknown> =>
  request(port, '/health', { host }).then(
    ({ status }) => status,
    (error: NodeJS.ErrnoException) => error.code,
  );

/** A server of the test's own that listens already, on a port that the system chose. */
function listening(host?: string): Promise<{ readonly server: Server; readonly port: number }> {
  return new Promise(resolve => {
    const server = createServer();
    server.listen(0, host, () => {
      const address = server.address();
      resolve({ server, port: typeof address === 'object' && address !== null ? address.port : 0 });
    });
  });
}

/** Who among the supervisor and its serving workers holds a listening socket of the service's port. */
async function holders(running: Service): Promise<{ master: number; workers: number[] }> {
  const inodes = listenersOf(running.port).map(({ inode }) => inode);
  const count = (pid: number): number => inodes.filter(inode => socketsOf(pid).has(inode)).length;
  return { master: count(running.pid), workers: (await serving(running)).map(count) };
}

/** As {@link holders}, once every worker has its own socket only: on a starved machine it holds a lent one for a moment. */
async function lastingHolders(running: Service): ReturnType<typeof holders> {
  let held = await holders(running);
  await until(async () => {
    held = await holders(running);
    return held.workers.every(count => count === 1);
  }, 'every lent socket is returned');
  return held;
}

describe('the address', () => {
  test('without HOST is every address, IPv6 and IPv4', async () => {
    const { port } = await service();
    for (const host of LOOPBACKS) expect(await outcome(port, host)).toBe(200);
  });

  test('is the one that HOST names, and no other', async () => {
    const { port } = await service({ env: { HOST: '127.0.0.1' } });
    expect(await outcome(port, '127.0.0.1')).toBe(200);
    for (const host of ['127.0.0.2', ...LOOPBACKS.slice(1)])
      expect([host, await outcome(port, host)]).toEqual([host, 'ECONNREFUSED']);
    expect(new Set(listenersOf(port).map(({ address }) => address))).toEqual(new Set(['0100007F']));
  });

  test('may be a name, which is looked up: its socket is the kept one all the same', async () => {
    const running = await service({ env: { HOST: 'localhost' } });
    expect((await request(running.port, '/health', { host: 'localhost' })).status).toBe(200);
    expect(await lastingHolders(running)).toEqual({ master: PER_SLOT ? 2 : 1, workers: [1, 1] });
  });

  test('may be another for each worker: none is left behind without a worker to accept', async () => {
    const port = await freePort();
    const file = appFile(OUR_WORKER, { ...OUR_FIELDS, increment_var: 'PORT', env: { PORT: String(port) } });
    const env = { RUN_DIR: folder() };
    start([CLUSTER, '--config', file], env);
    await until(async () => (await answers(port)) && answers(port + 1), 'both serve');
    const [first = NaN] = await serving({ env });
    process.kill(first, 'SIGKILL');
    await until(async () => {
      const now = await serving({ env });
      return now.length === 2 && !now.includes(first);
    }, 'the successor serves');
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => outcome(port + (index % 2), '127.0.0.1')),
    );
    expect(new Set(outcomes)).toEqual(new Set([200]));
  });

  test('may be another in each life of a worker: former ones are refused, and their sockets are closed', async () => {
    const first = await freePort();
    const lives = join(folder(), 'lives');
    writeFileSync(lives, '');
    const program = `
      const { appendFileSync, readFileSync } = require('node:fs');
      process.env.PORT = String(${first} + readFileSync(process.env.LIVES).length);
      appendFileSync(process.env.LIVES, '.');
      ${OUR_WORKER}`;
    const file = appFile(program, { ...OUR_FIELDS, instances: 1, min_uptime: 100 });
    const env = { RUN_DIR: folder(), LIVES: lives };
    const running = start([CLUSTER, '--config', file], env);
    const descriptors = (): number => readdirSync(`/proc/${running.pid}/fd`).length;
    let before = 0;
    for (let life = 0; life < 4; life++) {
      await until(async () => (await serving({ env }).catch(() => [])).length === 1, `life ${life} is ready`);
      await until(() => answers(first + life), `life ${life} serves`);
      if (life === 0) before = descriptors();
      if (life < 3) process.kill((await serving({ env }))[0] ?? NaN, 'SIGKILL');
    }
    for (let life = 0; life < 3; life++)
      expect(await outcome(first + life, '127.0.0.1')).toBe('ECONNREFUSED');
    await until(() => descriptors() <= before + 1, 'their sockets are closed');
  });

  test('may change with the app file: after a reload the old one is refused, not left to wait', async () => {
    const [first, second] = [await freePort(), await freePort()];
    const onPort = (port: number): object => ({
      ...OUR_FIELDS,
      min_uptime: 200,
      env: { PORT: String(port) },
    });
    const file = appFile(OUR_WORKER, onPort(first));
    const env = { RUN_DIR: folder() };
    const running = start([CLUSTER, '--config', file], env);
    await until(() => answers(first), 'it serves');
    const next = appFile(OUR_WORKER, onPort(second));
    writeFileSync(file, readFileSync(next));
    expect((await control({ env }, 'POST', '/reload')).json()).toEqual({ ok: true, reason: null });
    expect([await outcome(first, '127.0.0.1'), await outcome(second, '127.0.0.1')]).toEqual([
      'ECONNREFUSED',
      200,
    ]);
    expect(messages(running).filter(line => line.includes('exited'))).toEqual([]);
  });

  test('is the socket that systemd hands over, with any PORT, until the service ends', async () => {
    const running = await activated();
    expect(await outcome(running.port, '127.0.0.1')).toBe(200);
    expect(await outcome(Number(running.env['PORT']), '127.0.0.1')).toBe('ECONNREFUSED');
    running.kill();
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(await outcome(running.port, '127.0.0.1')).toBe('ECONNREFUSED');
  });
});

describe('the way of a connection', () => {
  test('is a socket for each slot where the platform can, else one for all; the supervisor only keeps them', async () => {
    const running = await service({ workers: 3 });
    expect(listenersOf(running.port)).toHaveLength(PER_SLOT ? 3 : 1);
    expect(await lastingHolders(running)).toEqual({ master: PER_SLOT ? 3 : 1, workers: [1, 1, 1] });
  });

  test('sockets outlive the worker, the reload and the scaling down of their slot', async () => {
    const running = await service({ workers: 3 });
    const before = listenersOf(running.port).map(({ inode }) => inode);
    await control(running, 'POST', '/scale', '{"instances":1}');
    await control(running, 'POST', '/reload');
    process.kill((await serving(running))[0] ?? NaN, 'SIGKILL');
    await until(() => served(running).length === 5, 'the successor of the killed worker serves');
    expect(listenersOf(running.port).map(({ inode }) => inode)).toEqual(before);
  });

  test('is round robin where the user asks for it: the supervisor accepts', async () => {
    const running = await service({ env: { NODE_CLUSTER_SCHED_POLICY: 'rr' } });
    expect(await holders(running)).toEqual({ master: 1, workers: [0, 0] });
    const pids = new Set<unknown>();
    for (let n = 0; n < 4; n++)
      pids.add(((await request(running.port, '/health')).json() as { worker: number }).worker);
    expect(pids).toEqual(new Set(await serving(running)));
  });

  test("is the operating system's choice where the user asks for it", async () => {
    const running = await service({ env: { NODE_CLUSTER_SCHED_POLICY: 'none' } });
    expect(await holders(running)).toEqual({ master: 1, workers: [1, 1] });
  });

  test("is node:cluster's round robin on a Node without the part on which the kept sockets rest", async () => {
    const running = await service({ env: { NODE_OPTIONS: `--require ${WITHOUT_HANDLES}` } });
    expect(await holders(running)).toEqual({ master: 1, workers: [0, 0] });
    expect(await outcome(running.port, '127.0.0.1')).toBe(200);
  });
});

describe('under load', () => {
  test('the only worker is killed: new connections wait for its successor', async () => {
    const running = await service({ workers: 1 });
    const [victim = NaN] = await serving(running);
    process.kill(victim, 'SIGKILL');
    await until(() => !isAlive(victim), 'it is gone');
    const { status, json } = await request(running.port, '/health');
    expect(status).toBe(200);
    expect(json()).toMatchObject({ worker: served(running).at(-1) });
    expect(served(running)).toHaveLength(2);
  });

  test('a thousand connections wait in the kernel for the only worker', async () => {
    const running = await service({ workers: 1 });
    const [only = NaN] = await serving(running);
    const somaxconn = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
    process.kill(only, 'SIGSTOP');
    const clients = Array.from({ length: 1_000 }, () => connect(running.port, '127.0.0.1'));
    for (const client of clients) client.on('error', () => undefined);
    try {
      await until(
        () => listenersOf(running.port)[0]?.waiting === Math.min(1_000, somaxconn),
        'all of them wait',
      );
    } finally {
      process.kill(only, 'SIGCONT');
      for (const client of clients) client.destroy();
    }
    expect(await outcome(running.port, '127.0.0.1')).toBe(200);
  });

  test('the socket of a dead worker is lent: no connection waits for a successor that boots slowly', async () => {
    const file = appFile(
      `if (require('node:fs').existsSync(__dirname + '/slow'))
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000);
       ${OUR_WORKER}`,
      OUR_FIELDS,
    );
    const running = await service({ args: ['--config', file] });
    const client = strictClient({ port: running.port, keptAlive: 0, newEveryMs: 8, timeoutMs: 15_000 });
    const [victim = NaN] = await serving(running);
    writeFileSync(join(file, '..', 'slow'), '');
    process.kill(victim, 'SIGKILL');
    await until(() => served(running).length === 3, 'the successor serves');
    const { failures, longestMs, sent } = await client.stop();
    expect({ ...failures, reset: 0 }).toEqual({ reset: 0 });
    expect(sent).toBeGreaterThan(100);
    // Half of all would otherwise wait for up to 3 s.
    expect(longestMs).toBeLessThan(1_500);
  });

  test('while a worker is blocked, no new connection waits for it', async () => {
    const running = await service({ workers: 2 });
    const client = strictClient({ port: running.port, keptAlive: 0, newEveryMs: 8, timeoutMs: 15_000 });
    await until(() => client.sent > 20, 'there is load');
    const [blocked = NaN] = await serving(running);
    const held = client.opened;
    process.kill(blocked, 'SIGSTOP');
    try {
      const before = client.sent;
      await until(() => client.sent > before + 200, 'many more were sent');
      // What it had accepted waits with it, and what came before its heartbeats were missed; half of all would otherwise.
      expect(client.opened).toBeLessThanOrEqual(held + 10);
    } finally {
      process.kill(blocked, 'SIGCONT');
    }
    const report = await client.stop();
    expect(report).toMatchObject({ failures: {}, examples: [], answered: report.sent });
  });
});

describe('the end', () => {
  test('given up after a crash loop, it refuses clients at once and leaves none hanging', async () => {
    // Ready, then gone: the sockets are open, and connections wait in them for a worker that will never come.
    const file = appFile(`${OUR_WORKER} setTimeout(() => process.exit(7), 250);`, {
      ...OUR_FIELDS,
      instances: 2,
      max_restarts: 3,
    });
    const port = await freePort();
    const running = start([CLUSTER, '--config', file], { PORT: String(port), RUN_DIR: folder() });
    await until(() => served(running).length > 0, 'a worker serves');
    const client = strictClient({ port, keptAlive: 2, newEveryMs: 20, timeoutMs: 15_000 });
    expect(await running.ended).toEqual({ code: 4, signal: null });
    const over = performance.now();
    expect(await outcome(port, '127.0.0.1')).toBe('ECONNREFUSED');
    const { failures } = await client.stop();
    expect(performance.now() - over).toBeLessThan(1_000);
    expect(failures).not.toHaveProperty('timed out');
    expect(messages(running).at(-1)).toMatch(/^No worker left, master process exiting with code 4: /);
  });

  test('while the last worker of a service that stops drains, new clients are refused, not left to wait', async () => {
    const running = await service({ workers: 1, env: { DRAIN_TIMEOUT_MS: '1500' } });
    const held = request(running.port, '/echo', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Content-Length': '12' },
      agent: false,
    }).catch((error: Error) => error);
    await until(() => answers(running.port), 'it serves');
    running.kill();
    await until(
      async () => (await outcome(running.port, '127.0.0.1')) === 'ECONNREFUSED',
      'new clients are refused',
    );
    await running.ended;
    await held;
  });
});

describe('a taken port', () => {
  const only = (line: string): string =>
    `^Port ${line} is already in use by pid ${process.pid} \\(.+\\); stop that process or set PORT$`;

  test('on one address only keeps a service on every address from starting, said once, with code 6', async () => {
    const { server, port } = await listening('127.0.0.1');
    try {
      const running = start([CLUSTER], {
        PORT: String(port),
        WEB_CONCURRENCY: '3',
        RUN_DIR: folder(),
      });
      expect((await running.ended).code).toBe(6);
      expect(messages(running)).toEqual([expect.stringMatching(only(String(port)))]);
    } finally {
      server.close();
    }
  });

  test.each([{}, { NODE_CLUSTER_SCHED_POLICY: 'rr' }, { NODE_CLUSTER_SCHED_POLICY: 'none' }])(
    'found by the workers themselves is no crash loop either (%j)',
    async policy => {
      const { server, port } = await listening('127.0.0.1');
      try {
        const file = appFile(OUR_WORKER, { ...OUR_FIELDS, stop_exit_codes: [5, 6] });
        const running = start([CLUSTER, '--config', file], {
          PORT: String(port),
          HOST: '127.0.0.1',
          RUN_DIR: folder(),
          ...policy,
        });
        expect((await running.ended).code).toBe(6);
        expect(messages(running).filter(line => line.startsWith('Forking worker'))).toHaveLength(2);
        expect(messages(running).at(-1)).toMatch(/master process exiting with code 6: Port \d+ /);
      } finally {
        server.close();
      }
    },
  );

  test('is found by one of two services that start at the same moment, and shared by neither', async () => {
    const port = await freePort();
    const both = [0, 1].map(() =>
      start([CLUSTER], { PORT: String(port), WEB_CONCURRENCY: '1', RUN_DIR: folder() }),
    );
    const over = await Promise.race(
      both.map(async (one, index) => ((await one.ended).code === 6 ? index : -1)),
    );
    expect([0, 1]).toContain(over);
    await until(() => answers(port), 'the other one serves');
  });

  test('held by another service of ours is taken, although SO_REUSEPORT would allow it', async () => {
    const first = await service();
    const second = start([CLUSTER], {
      PORT: String(first.port),
      WEB_CONCURRENCY: '2',
      RUN_DIR: folder(),
    });
    expect((await second.ended).code).toBe(6);
    expect(await answers(first.port)).toBe(true);
  });
});
