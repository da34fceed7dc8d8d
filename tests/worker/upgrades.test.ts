/** Upgrades: the handler of the path gets the connection; everything else is answered as usual. */
import http, { type RequestListener, type Server, type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { readConfig } from '../../src/config.js';
import type { UpgradeHandler } from '../../src/features/feature.js';
import { createLogger } from '../../src/utils/logger.js';
import { attachUpgrades, upgradeOptions, upgradesOf } from '../../src/worker/upgrades.js';

const servers = new Set<Server>();
afterEach(() => {
  for (const server of servers) server.close();
  servers.clear();
});

const answer: RequestListener = (request, response) => void response.end(`answer to ${request.url}`);

async function setUp(handler: UpgradeHandler) {
  const written: string[] = [];
  const write = (line: string): void => void written.push(line);
  const logger = createLogger({ env: 'production', output: { write, writeSoon: write } });
  const drain = new AbortController();
  const use = (): never => {
    throw new Error('no resources here');
  };
  const context = { config: readConfig({}), logger, use, draining: drain.signal };
  const upgrades = upgradesOf([{ upgrades: () => ({ '/chat': handler }) }], context);
  const server = http.createServer(upgradeOptions(upgrades), answer);
  servers.add(server);
  attachUpgrades(server, upgrades, context);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, drain, logger, lines: () => written.join('') };
}

/** Everything that comes back, until the server ends the connection. */
function converse(port: number, path: string, more = '', method = 'GET'): Promise<string> {
  return new Promise(resolve => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1', () =>
      socket.write(
        `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n${more}\r\n`,
      ),
    );
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (text.endsWith(`answer to ${path}`)) socket.end(); // Node 24.9 and later keep the connection
    });
    socket.on('error', () => undefined).once('close', () => resolve(text));
  });
}

test('the handler of the path gets request, connection and id, with any query', async () => {
  const { port } = await setUp(({ id, url }, socket) => socket.end(`upgraded ${url} ${id}`));
  expect(await converse(port, '/chat?room=1', 'X-Request-Id: trace-1\r\n')).toBe(
    'upgraded /chat?room=1 trace-1',
  );
});

test('what the handler logs carries the ids of the request', async () => {
  const { port, logger, lines } = await setUp(async (_request, socket) => {
    await Promise.resolve();
    logger.info('hello');
    socket.end('upgraded');
  });
  const [traceId, spanId] = ['a'.repeat(32), 'b'.repeat(16)];
  await converse(port, '/chat', `X-Request-Id: mine\r\ntraceparent: 00-${traceId}-${spanId}-01\r\n`);
  expect(lines()).toMatch(
    new RegExp(`"requestId":"mine","trace_id":"${traceId}","span_id":"${spanId}","msg":"hello"`),
  );
});

test('a request for another path is answered as if it did not ask for an upgrade', async () => {
  const { port } = await setUp((_request, socket) => socket.end('upgraded'));
  expect(await converse(port, '/other')).toMatch(/^HTTP\/1.1 200 OK[\s\S]*answer to \/other$/);
});

/** Node leaves such a request alone since 24.9; before, its connection ends with the answer. */
test('its connection is kept where Node can leave the request alone', async () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isLeftAlone = major > 24 || (major === 24 && minor >= 9);
  const { port } = await setUp((_request, socket) => socket.end('upgraded'));
  expect(/^Connection: close$/m.test((await converse(port, '/other')).replaceAll('\r', ''))).toBe(
    !isLeftAlone,
  );
});

test.each<[string, UpgradeHandler]>([
  [
    'throws',
    () => {
      throw new Error('no room');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no room'))],
])('a handler that %s is answered with 500 and logged', async (_how, handler) => {
  const { port, lines } = await setUp(handler);
  expect(await converse(port, '/chat')).toMatch(/^HTTP\/1.1 500 /);
  expect(lines()).toMatch(/no room.*"msg":"Upgrade failed"/);
});

test('an upgrade during the drain is refused, so that the client tries another worker', async () => {
  const { port, drain } = await setUp((_request, socket) => socket.end('upgraded'));
  drain.abort();
  expect(await converse(port, '/chat')).toMatch(/^HTTP\/1.1 503 /);
});

test('without a handler an upgrade is left to Node', () => {
  const server = http.createServer(answer);
  const context = {} as Parameters<typeof upgradesOf>[1];
  const upgrades = upgradesOf([{}], context);
  expect(upgradeOptions(upgrades)).toEqual({});
  attachUpgrades(server, upgrades, context);
  expect(server.listenerCount('upgrade')).toBe(0);
});

/** Node before 24.9 hands over every connection that asks for an upgrade, and then listens to it no more. */
test('a connection whose client goes away or sends more is no failure, and is closed', async () => {
  const { port } = await setUp(() => Promise.reject(new Error('no room')));
  const [server] = servers;
  const answers: ServerResponse[] = [];
  server?.removeAllListeners('request').on('request', (_request, response) => {
    answers.push(response);
    response.write('begun');
  });
  for (const path of ['/other', '/chat']) {
    const accepted = new Promise<net.Socket>(resolve => server?.once('connection', resolve));
    const head = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n`;
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => client.write(head));
    const socket = await accepted;
    const closed = new Promise(resolve => socket.once('close', resolve));
    await new Promise(resolve => client.once('data', resolve));
    expect(() => socket.emit('error', new Error('reset'))).not.toThrow();
    client.on('error', () => undefined).write('more');
    while (socket.bytesRead === head.length && !socket.destroyed) await new Promise(setImmediate);
    answers.pop()?.end();
    client.end();
    await closed;
    client.destroy();
  }
});
