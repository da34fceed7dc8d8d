/** The undocumented TCP handles that the listener uses: a Node that changes them fails here. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import {
  bindTcp,
  canReusePort,
  hasTcpHandles,
  type TcpHandle,
} from '../../../src/supervisor/processes/tcp-handles.js';

const HOST = '127.0.0.1';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function keep<T extends { close(): void }>(one: T): T {
  open.push(one);
  return one;
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listenOn(handle: TcpHandle): Promise<net.Server> {
  const server = keep(net.createServer(socket => socket.end('hello')));
  server.listen(handle);
  await once(server, 'listening');
  return server;
}

async function answerAt(port: number): Promise<string> {
  const client = net.connect(port, HOST);
  const [data] = (await once(client, 'data')) as [Buffer];
  client.destroy();
  return String(data);
}

test('this Node has the handles', () => {
  expect(hasTcpHandles()).toBe(true);
});

test('a bound handle knows its port, refuses connections, and accepts them once a server listens on it', async () => {
  const port = await freePort();
  const handle = bindTcp({ host: HOST, port }, 'exclusive');
  const name: { port?: number; address?: string } = {};
  expect(handle.getsockname(name)).toBe(0);
  expect(name).toMatchObject({ address: HOST, port });
  await expect(answerAt(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await listenOn(handle);
  expect(await answerAt(port)).toBe('hello');
});

test('binding to a port on which another socket listens fails with EADDRINUSE', async () => {
  const port = await freePort();
  await listenOn(bindTcp({ host: HOST, port }, 'exclusive'));
  expect(() => bindTcp({ host: HOST, port }, 'exclusive')).toThrow(`bind ${HOST}:${port}: EADDRINUSE`);
});

test('binding to an address of another machine fails with EADDRNOTAVAIL', async () => {
  const port = await freePort();
  expect(() => bindTcp({ host: '192.0.2.1', port }, 'exclusive')).toThrow(
    expect.objectContaining({ code: 'EADDRNOTAVAIL' }),
  );
});

const describePerSlot = canReusePort(process.versions.node, process.platform) ? describe : describe.skip;

describePerSlot('with SO_REUSEPORT', () => {
  test('several sockets can share a port, and each can listen', async () => {
    const port = await freePort();
    await listenOn(bindTcp({ host: HOST, port }, 'reuse-port'));
    await listenOn(bindTcp({ host: HOST, port }, 'reuse-port'));
    expect(await answerAt(port)).toBe('hello');
  });
});
