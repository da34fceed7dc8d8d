import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import express, { type Express } from 'express';
import { readConfig } from '../../src/config.js';
import { createAdmission, type RefusalReason } from '../../src/overload/admission.js';
import { MAX_REFUSED } from '../../src/overload/connection-limit.js';
import { createLogger } from '../../src/utils/logger.js';
import { attachUpgrades, upgradeOptions, upgradesOf } from '../../src/worker/upgrades.js';
import { request, until, type Answer } from '../support/processes.js';

jest.setTimeout(30_000);

const servers: http.Server[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

const never = (): never => {
  throw new Error('no resources here');
};

interface Setup {
  readonly port: number;
  readonly server: http.Server;
  readonly refusals: RefusalReason[];
  readonly handled: () => number;
  readonly log: string[];
}

async function setUp(env: Record<string, string>, routes: (app: Express) => void = () => undefined) {
  const [refusals, log]: [RefusalReason[], string[]] = [[], []];
  const write = (line: string): void => void log.push(line);
  const logger = createLogger({ env: 'production', output: { write, writeSoon: write } });
  const config = readConfig({ NODE_ENV: 'production', ...env });
  const admission = createAdmission({ config, logger, onRefusal: reason => refusals.push(reason) });
  let handled = 0;
  const app = express();
  routes(app);
  if (admission !== undefined) app.use(admission.handler);
  app.use(express.json());
  app.get('/livez', (_request, response) => void response.json({ status: 'live' }));
  app.use('/burn/:ms', ({ params }, response) => {
    handled++;
    for (const end = performance.now() + Number(params.ms); performance.now() < end;);
    response.json({});
  });
  const handlers = () => ({ '/chat': (_request: unknown, socket: Duplex) => socket.end('upgraded') });
  const context = { config, logger, use: never, draining: new AbortController().signal };
  const upgrades = upgradesOf([{ upgrades: handlers }], context);
  const server = http.createServer(upgradeOptions(upgrades), app);
  admission?.watch(server);
  attachUpgrades(server, upgrades, context, admission?.refusesUpgrade);
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, server, refusals, log, handled: () => handled } satisfies Setup;
}

const burst = (port: number, count: number, path: string): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, () => request(port, path)));

const countOf = (answers: readonly Answer[], wanted: number): number =>
  answers.filter(({ status }) => status === wanted).length;

async function connect(port: number): Promise<Socket> {
  const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** What comes on this connection until it ends. */
async function textOf(socket: Socket, sent = ''): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  socket.write(sent);
  await once(socket, 'close');
  return text;
}

test('without settings there is nothing in the way', () => {
  const config = readConfig({});
  expect([config.overloadProtection, config.maxConnections]).toEqual([false, undefined]);
  expect(
    createAdmission({ config, logger: createLogger({ env: 'test' }), onRefusal: () => undefined }),
  ).toBeUndefined();
});

describe('OVERLOAD_PROTECTION', () => {
  const ON = { OVERLOAD_PROTECTION: 'on' };

  test('refuses what would wait for too long, answers probes meanwhile, and says so in the log', async () => {
    const { port, refusals, handled, log } = await setUp(ON);
    let isOver = false;
    const sent = burst(port, 120, '/burn/20').finally(() => (isOver = true));
    await until(() => handled() > 0, 'the worker is busy');
    expect((await request(port, '/livez')).status).toBe(200);
    expect(isOver).toBe(false);
    const answers = await sent;
    expect(countOf(answers, 200)).toBe(handled());
    expect(countOf(answers, 503)).toBe(120 - handled());
    expect(refusals).toHaveLength(120 - handled());
    expect(refusals.every(reason => reason === 'overload')).toBe(true);
    expect(log.filter(line => line.includes('is overloaded: requests wait'))).toHaveLength(1);

    const refused = answers.filter(({ status }) => status === 503);
    for (const { headers, json } of refused) {
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(['1', '2', '3']).toContain(headers['retry-after']);
      expect(json()).toMatchObject({ status: 503, title: 'Service Unavailable', detail: /than it can/ });
    }
    expect(new Set(refused.map(({ headers }) => headers['retry-after'])).size).toBeGreaterThan(1);
    expect(countOf(await burst(port, 5, '/burn/1'), 200)).toBe(5);
  });

  test('refuses none of many quick requests at once', async () => {
    const { port, refusals } = await setUp(ON);
    expect(countOf(await burst(port, 400, '/burn/0'), 200)).toBe(400);
    expect(refusals).toEqual([]);
  });

  test('does not handle a request whose client has gone while it waited', async () => {
    const { port, handled } = await setUp(ON);
    const busy = burst(port, 4, '/burn/100');
    const sent = http.get({ port, host: '127.0.0.1', path: '/burn/0' }).on('error', () => undefined);
    await until(() => handled() === 1, 'the worker is busy');
    sent.destroy();
    await busy;
    expect((await request(port, '/burn/0')).status).toBe(200);
    expect(handled()).toBe(5);
  });

  test('keeps the asynchronous context of each request', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const { port } = await setUp(ON, app => {
      app.use(({ url }, response, next) => {
        response.on('finish', () => seen.push(`${url} ${storage.getStore() ?? 'lost'}`));
        storage.run(url, next);
      });
    });
    const paths = Array.from({ length: 20 }, (_, index) => `/burn/${index}`);
    await Promise.all(paths.map(path => request(port, path)));
    await until(() => seen.length === 20, 'all are finished');
    expect(new Set(seen)).toEqual(new Set(paths.map(path => `${path} ${path}`)));
  });
});

describe('MAX_CONNECTIONS', () => {
  const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

  test('refuses an upgrade above the limit, which would be cut a moment later', async () => {
    const { port, refusals } = await setUp({ MAX_CONNECTIONS: '1' });
    const upgrade = 'GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n';
    const first = await connect(port);
    expect(await textOf(await connect(port), upgrade)).toMatch(/^HTTP\/1.1 503 /);
    expect(refusals).toEqual(['connections']);
    expect(await textOf(first, upgrade)).toBe('upgraded');
  });

  test('answers what is above it before its body has come, and closes', async () => {
    const { port, refusals } = await setUp({ MAX_CONNECTIONS: '2' });
    const [first] = [await connect(port), await connect(port)];
    const head = 'POST /burn/0 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    const text = await textOf(await connect(port), `${head}Content-Length: 1000\r\n\r\n{`);
    expect(text).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(text).toMatch(/\r\nRetry-After: [123]\r\n/);
    expect(text).toMatch(/\r\nConnection: close\r\n/);
    expect(text).toContain('as many connections as it may have');
    expect(refusals).toEqual(['connections']);

    first.destroy();
    await until(async () => (await request(port, '/burn/0')).status === 200, 'there is room again');
  });

  test('answers probes above it, and closes', async () => {
    const { port } = await setUp({ MAX_CONNECTIONS: '1' });
    await connect(port);
    const text = await textOf(await connect(port), GET('/livez'));
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\nConnection: close\r\n/);
  });

  test('holds only so many that are refused: silent ones for a moment, all others are reset', async () => {
    const { port, refusals, server } = await setUp({ MAX_CONNECTIONS: '1' });
    for (let open = 0; open < 1 + MAX_REFUSED; open++) await connect(port);
    const reset = net.connect(port, '127.0.0.1');
    const [error] = (await once(reset, 'close').then(
      () => [],
      (cause: unknown) => [cause],
    )) as [NodeJS.ErrnoException?];
    expect(error?.code).toBe('ECONNRESET');
    expect(refusals).toEqual(['connections']);
    await until(
      () => new Promise(resolve => server.getConnections((_error, count) => resolve(count === 1))),
      'the silent ones are closed',
    );
  });
});
