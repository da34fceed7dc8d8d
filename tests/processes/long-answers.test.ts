/** Long answers and upgraded connections, when the worker drains. */
import http from 'node:http';
import net from 'node:net';
import { workerWith } from '../support/features.js';
import { cleanUp, freePort, start, type Running } from '../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** Server-sent events without end, and an upgrade; both listen to the drain. */
const FEATURES = `[{
  routes(router, { draining }) {
    const streams = new Set();
    draining.addEventListener('abort', () => { for (const stream of streams) stream.end('data: bye\\n\\n'); });
    router.get('/events', (request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', Connection: 'close' });
      response.write('data: hello\\n\\n');
      streams.add(response);
      response.once('close', () => streams.delete(response));
    });
    router.get('/deaf', (request, response) => void response.write('for ever'));
  },
  upgrades: ({ draining }) => ({
    '/api/chat': (request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: test\\r\\n\\r\\nhello');
      draining.addEventListener('abort', () => socket.end('bye'));
    },
  }),
}]`;

async function serving(env: Record<string, string> = {}): Promise<Running & { readonly port: number }> {
  const port = await freePort();
  const running = start([workerWith(FEATURES)], {
    PORT: String(port),
    DRAIN_TIMEOUT_MS: '60000',
    ...env,
  });
  await running.said(/HTTP server started/);
  return Object.assign(running, { port });
}

/** Resolves with the answer when its first bytes are there; `text` resolves at its end. */
function open(port: number, path: string): Promise<{ readonly text: Promise<string> }> {
  return new Promise((resolve, reject) => {
    const sent = http.get({ host: '127.0.0.1', port, path, agent: false }, response => {
      let text = '';
      const ended = new Promise<string>(done => response.once('close', () => done(text)));
      response.on('error', () => undefined).setEncoding('utf8');
      response.once('data', () => resolve({ text: ended }));
      response.on('data', (piece: string) => (text += piece));
    });
    sent.on('error', reject);
  });
}

test('a handler that listens ends its streams politely, and the worker leaves at once', async () => {
  const running = await serving();
  const streams = await Promise.all(Array.from({ length: 50 }, () => open(running.port, '/api/events')));
  const orderedAt = performance.now();
  running.kill('SIGTERM');
  const texts = await Promise.all(streams.map(({ text }) => text));
  expect(new Set(texts)).toEqual(new Set(['data: hello\n\ndata: bye\n\n']));
  expect(await running.ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - orderedAt).toBeLessThan(10_000); // far below the deadline
  expect(running.text()).not.toMatch(/MaxListenersExceeded/);
});

test('a stream that does not listen is cut; the line has its whole path and its id', async () => {
  const running = await serving({ DRAIN_TIMEOUT_MS: '1001' });
  const { text } = await open(running.port, '/api/deaf?x=1');
  running.kill('SIGTERM');
  const { requestId } = await running.said(/^Cut at the drain deadline: GET \/api\/deaf\?x=1$/);
  expect(requestId).toEqual(expect.stringMatching(/^[\w-]+$/));
  expect(await text).toBe('for ever');
  expect(await running.ended).toEqual({ code: 1, signal: null });
});

test('an upgraded connection learns of the drain before it is closed', async () => {
  const running = await serving();
  const socket = net.connect(running.port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const ended = new Promise(resolve => socket.once('close', resolve));
  socket.write('GET /api/chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n');
  await new Promise(resolve => socket.once('data', resolve));
  running.kill('SIGTERM');
  await ended;
  expect(text).toMatch(/^HTTP\/1.1 101[\s\S]*hellobye$/);
  expect(await running.ended).toEqual({ code: 0, signal: null });
  expect(await running.said(/^GET \/api\/chat upgraded connection closed after [\d.]+ ms$/)).toMatchObject({
    method: 'GET',
    url: '/api/chat',
  });
});
