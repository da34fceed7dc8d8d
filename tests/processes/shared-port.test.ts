/** Two services never share a port, whichever of their addresses overlap and whenever they start. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { join } from 'node:path';
import { bindTcp, canReusePort } from '../../src/supervisor/processes/tcp-handles.js';
import { cleanUp, CLUSTER, folder, freePort, start, until, type Running } from '../support/processes.js';
import { answers, appFile, messages, OUR_FIELDS, OUR_WORKER, service } from '../support/service.js';
import { hasIPv6 } from '../support/sockets.js';

jest.setTimeout(60_000);

const servers: Server[] = [];
afterEach(cleanUp);
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** The kernel shares a port only among sockets that have SO_REUSEPORT. */
const PER_SLOT = canReusePort(process.versions.node, process.platform);
const describePerSlot = PER_SLOT ? describe : describe.skip;

const HOSTS = [undefined, '0.0.0.0', '127.0.0.1', ...(hasIPv6() ? ['::'] : [])];

async function listening(where: ListenOptions | object): Promise<void> {
  const server = createServer();
  servers.push(server);
  server.listen(where);
  await once(server, 'listening');
}

const hostOf = (host?: string): Record<string, string> => (host === undefined ? {} : { HOST: host });

function starting(port: number, env: Record<string, string>, args: readonly string[] = []): Running {
  return start([CLUSTER, ...args], { PORT: String(port), WEB_CONCURRENCY: '1', RUN_DIR: folder(), ...env });
}

async function expectRefused(running: Running): Promise<void> {
  expect((await running.ended).code).toBe(6);
  expect(messages(running).at(-1)).toMatch(
    new RegExp(`Port \\d+( of \\S+)? is already in use by pid ${process.pid} \\(`),
  );
}

describe.each(HOSTS)('while another process of this user shares its port at %s with all', host => {
  test('no service starts, at whichever address', async () => {
    const port = await freePort();
    await listening({ port, host, reusePort: true });
    const services = HOSTS.map(other => starting(port, hostOf(other)));
    await Promise.all(services.map(expectRefused));
  });
});

/** The app's worker, which waits for a file at one moment of its start. */
function waiting(program: string): {
  readonly go: () => void;
  readonly args: string[];
  readonly env: Record<string, string>;
} {
  const goFile = join(folder(), 'go');
  const wait = `
    const net = require('node:net');
    function wait(moment, go) {
      console.log(moment);
      const timer = setInterval(() => {
        if (!require('node:fs').existsSync(process.env.GO)) return;
        clearInterval(timer);
        go();
      }, 5);
    }`;
  const file = appFile(wait + program, { ...OUR_FIELDS, instances: 1 });
  return { go: () => writeFileSync(goFile, ''), args: ['--config', file], env: { GO: goFile } };
}

const BEFORE_IT_ASKS = `wait('booting', () => { ${OUR_WORKER} });`;

/** It has its socket by then. */
const BEFORE_IT_LISTENS = `
  const { listen } = net.Server.prototype;
  net.Server.prototype.listen = function (...where) {
    if (where[0] === null || typeof where[0] !== 'object' || 'path' in where[0]) return listen.apply(this, where);
    wait('about to listen', () => listen.apply(this, where));
    return this;
  };
  ${OUR_WORKER}`;

describePerSlot('what begins to listen while the service starts', () => {
  test.each(HOSTS)('another process at %s, before the worker has its socket, keeps the port', async host => {
    const port = await freePort();
    const { go, args, env } = waiting(BEFORE_IT_ASKS);
    const running = starting(port, env, args);
    await running.said(/^booting$/);
    await listening({ port, host, reusePort: true });
    go();
    await expectRefused(running);
  });

  test('another process, at the same moment as the worker, keeps the port if its socket is older', async () => {
    const port = await freePort();
    const older = bindTcp({ port, host: '127.0.0.1' }, 'reuse-port');
    const { go, args, env } = waiting(BEFORE_IT_LISTENS);
    const running = starting(port, env, args);
    await running.said(/^about to listen$/);
    await listening(older);
    go();
    await expectRefused(running);
  });

  test('another process, at the same moment as the worker, keeps the port if it does not give way', async () => {
    const port = await freePort();
    const { go, args, env } = waiting(BEFORE_IT_LISTENS);
    const running = starting(port, { ...env, HOST: '127.0.0.1' }, args);
    await running.said(/^about to listen$/);
    await listening({ port, reusePort: true });
    go();
    await expectRefused(running);
  });
});

test('of two services whose workers listen at the same moment, one keeps the port', async () => {
  const port = await freePort();
  const { go, args, env } = waiting(BEFORE_IT_LISTENS);
  const both = HOSTS.slice(1, 3).map(host => starting(port, { ...env, ...hostOf(host) }, args));
  for (const one of both) await one.said(/^about to listen$/);
  go();
  const refused = await Promise.race(both.map(async one => ((await one.ended).code === 6 ? one : undefined)));
  const kept = both.find(one => one !== refused);
  expect(messages(refused as Running).at(-1)).toContain(`Port ${port} of `);
  await until(() => answers(port), 'the other one serves');
  await kept?.said(/HTTP server started successfully/);
  expect(kept?.child.exitCode).toBeNull();
});

(process.platform === 'linux' ? describe : describe.skip)('on Linux', () => {
  test('no name that others can take first keeps a service from its port', async () => {
    const port = await freePort();
    for (const host of ['*', '::', '0.0.0.0', '127.0.0.1'])
      await listening({ path: `\0cabe-arena-listener:${host}:${port}` });
    const { port: served } = await service({ workers: 1, env: { PORT: String(port) } });
    expect(served).toBe(port);
  });
});
