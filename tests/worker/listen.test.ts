/** How a worker gets its connections, in particular from sockets of other slots that are lent to it. */
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo, type Server } from 'node:net';
import { createChannel, type IpcPort } from '../../src/worker/channel.js';
import { listen, type Listening } from '../../src/worker/listen.js';
import { freePort, request } from '../support/processes.js';

interface Handle {
  readonly fd: number;
  close(): void;
}

const open = new Set<Server>();
afterEach(() => {
  for (const server of open) server.close();
  open.clear();
});

/** A bound socket that does not listen yet, as a supervisor lends it. */
async function bound(): Promise<{ readonly handle: Handle; readonly port: number }> {
  const port = await freePort();
  const make = Reflect.get(net, '_createServerHandle') as (
    address: string,
    port: number,
    family: 4,
  ) => Handle;
  return { handle: make('127.0.0.1', port, 4), port };
}

interface Offered {
  readonly listening: Listening;
  /** Sends as its supervisor does. */
  send(message: object, handle?: Handle): void;
}

/** A worker whose supervisor offers sockets, but has none for its own address: it listens itself. */
async function worker(): Promise<Offered> {
  const port: IpcPort & EventEmitter = Object.assign(new EventEmitter(), {
    connected: true,
    send: () => setImmediate(() => port.emit('message', { type: 'cabe:listener' })),
  });
  const server = http.createServer((_request, response) => response.end('here'));
  open.add(server);
  const address = { port: await freePort(), host: '127.0.0.1' };
  return {
    listening: await listen(server, address, createChannel(port)),
    send: (message, handle) => void port.emit('message', message, handle),
  };
}

const outcome = (port: number): Promise<unknown> =>
  request(port, '/').then(
    ({ text }) => text,
    (error: NodeJS.ErrnoException) => error.code,
  );

test('connections of a lent socket are answered until it is returned', async () => {
  const { listening, send } = await worker();
  const { handle, port } = await bound();
  send({ type: 'cabe:listener.lent', slot: 1 }, handle);
  expect(await outcome(port)).toBe('here');
  send({ type: 'cabe:listener.returned', slot: 1 });
  expect(await outcome(port)).toBe('ECONNREFUSED');
  listening.stop();
});

test('a connection of a lent socket that was accepted before the worker stops accepting is answered', async () => {
  const { listening, send } = await worker();
  const { handle, port } = await bound();
  send({ type: 'cabe:listener.lent', slot: 1 }, handle);
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

test('a socket that is lent to a worker which has stopped accepting is closed at once', async () => {
  const { listening, send } = await worker();
  listening.stop();
  const { handle, port } = await bound();
  send({ type: 'cabe:listener.lent', slot: 1 }, handle);
  expect(handle.fd).toBe(-1);
  expect(await outcome(port)).toBe('ECONNREFUSED');
});

test('a worker without an offer listens itself', async () => {
  const server = http.createServer((_request, response) => response.end('here'));
  open.add(server);
  const listening = await listen(server, { port: 0, host: '127.0.0.1' });
  expect(await outcome((server.address() as AddressInfo).port)).toBe('here');
  listening.stop();
});
