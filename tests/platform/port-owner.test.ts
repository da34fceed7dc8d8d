/** What listens on a port, read from Linux' `/proc`. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { listenersOn, portOwner } from '../../src/platform/port-owner.js';

const opened: { destroy(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.destroy();
});

async function listen(host: string): Promise<number> {
  const server: Server = createServer(socket => opened.push(socket)).listen(0, host);
  await once(server, 'listening');
  opened.push({ destroy: () => server.close() });
  return (server.address() as AddressInfo).port;
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  opened.push(socket);
  await once(socket, 'connect');
  return socket;
}

test.each([
  ['127.0.0.1', '0100007F'],
  ['::', '0'.repeat(32)],
])('a server on %s is found among its connections, with its process', async (host, address) => {
  const port = await listen(host);
  for (let left = 20; left > 0; left--) await connected(port);
  expect(listenersOn(port)).toEqual([{ inode: expect.stringMatching(/^\d+$/), address }]);
  expect(portOwner(port)).toBe(`pid ${process.pid} (node)`);
});

test('a port without a server has no owner, although it has a connection', async () => {
  const { localPort = 0 } = await connected(await listen('127.0.0.1'));
  expect(listenersOn(localPort)).toEqual([]);
  expect(portOwner(localPort)).toBeUndefined();
});

test('the kernel lists sockets that listen before all others', async () => {
  await connected(await listen('127.0.0.1'));
  const states = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .flatMap(line => line.trim().split(/\s+/)[3] ?? []);
  expect(states).toContain('01');
  expect(states.slice(states.findIndex(state => state !== '0A'))).not.toContain('0A');
});
