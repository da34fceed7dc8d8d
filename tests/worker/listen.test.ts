/** How a worker gets its connections, at the edges: sockets of other slots that are lent to it. */
import { once, type EventEmitter } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo, type Server } from 'node:net';
import { LISTENER_OFFER } from '../../src/protocol/messages.js';
import { listen, type Listening } from '../../src/worker/listen.js';
import { freePort, request } from '../support/processes.js';

interface Handle {
  readonly fd: number;
  close(): void;
}

const open = new Set<Server>();
const before = { send: process.send, connected: process.connected };
const listeners = process.listeners('message');
afterEach(() => {
  for (const server of open) server.close();
  open.clear();
  for (const listener of process.listeners('message'))
    if (!listeners.includes(listener)) process.off('message', listener);
  Object.assign(process, before);
  delete process.env[LISTENER_OFFER];
});

const say = (message: object, handle?: Handle): void =>
  void (process as EventEmitter).emit('message', message, handle);

/** A bound socket on which nobody listens yet, as a supervisor lends it. */
async function bound(): Promise<{ readonly handle: Handle; readonly port: number }> {
  const port = await freePort();
  const make = Reflect.get(net, '_createServerHandle') as (
    address: string,
    port: number,
    family: 4,
  ) => Handle;
  return { handle: make('127.0.0.1', port, 4), port };
}

/** A worker whose supervisor offers it a socket of its own. */
async function worker(): Promise<Listening> {
  process.env[LISTENER_OFFER] = '1';
  Object.assign(process, {
    connected: true,
    send: () => setImmediate(() => say({ type: 'listener' })), // none: it listens by itself
  });
  const server = http.createServer((_request, response) => response.end('here'));
  open.add(server);
  return listen(server, { port: await freePort(), host: '127.0.0.1' });
}

const outcome = (port: number): Promise<unknown> =>
  request(port, '/').then(
    ({ text }) => text,
    (error: NodeJS.ErrnoException) => error.code,
  );

test('connections of a lent socket are answered, until it is returned', async () => {
  const listening = await worker();
  const { handle, port } = await bound();
  say({ type: 'listener.lent', slot: 1 }, handle);
  expect(await outcome(port)).toBe('here');
  say({ type: 'listener.returned', slot: 1 });
  expect(await outcome(port)).toBe('ECONNREFUSED');
  listening.stop();
});

test('a connection of a lent socket that was accepted before the worker stops accepting is answered', async () => {
  const listening = await worker();
  const { handle, port } = await bound();
  say({ type: 'listener.lent', slot: 1 }, handle);
  const [server] = open;
  const client = net.connect(port, '127.0.0.1');
  if (server !== undefined) await once(server, 'connection');
  listening.stop();
  client.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const piece of client.setEncoding('utf8')) text += String(piece);
  expect(text).toMatch(/here$/);
  expect(await outcome(port)).toBe('ECONNREFUSED');
});

test('a socket that is lent to a worker that has stopped accepting is let go at once', async () => {
  const listening = await worker();
  listening.stop();
  const { handle, port } = await bound();
  say({ type: 'listener.lent', slot: 1 }, handle);
  expect(handle.fd).toBe(-1);
  expect(await outcome(port)).toBe('ECONNREFUSED');
});

test('a worker that nobody offers a socket listens by itself', async () => {
  const server = http.createServer((_request, response) => response.end('here'));
  open.add(server);
  const listening = await listen(server, { port: 0, host: '127.0.0.1' });
  expect(await outcome((server.address() as AddressInfo).port)).toBe('here');
  listening.stop();
});
