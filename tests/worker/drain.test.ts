/** Leaving without losing a request, connection by connection, on raw sockets. */
import { EventEmitter, once } from 'node:events';
import http, { type RequestListener, type Server } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { drainable, type Cut, type DrainTimes } from '../../src/worker/drain.js';

const TIMES: DrainTimes = { idleGraceMs: 200, timeoutMs: 2_000 };

const servers = new Set<Server>();
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  servers.clear();
  sockets.clear();
});

interface Setup {
  readonly server: Server;
  readonly connect: () => Promise<Client>;
  /** Stops accepting and drains, as the worker does. */
  readonly leave: (times?: DrainTimes) => Promise<readonly Cut[]>;
  readonly hurry: (timeoutMs: number) => void;
}

/** The other end of a connection, byte by byte. */
interface Client {
  readonly socket: Socket;
  readonly text: () => string;
  send(bytes: string): void;
  /** Resolves when this has been received. */
  received(pattern: RegExp): Promise<void>;
  /** Resolves when the connection has ended; rejects nothing: a reset is an end, too. */
  readonly ended: Promise<void>;
}

async function setUp(listener: RequestListener): Promise<Setup> {
  const server = http.createServer(listener);
  servers.add(server);
  const { drain, hurry } = drainable(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server,
    connect: () => connect(port),
    hurry,
    leave(times = TIMES) {
      net.Server.prototype.close.call(server);
      return drain(times);
    },
  };
}

async function connect(port: number): Promise<Client> {
  const socket = net.connect(port, '127.0.0.1');
  sockets.add(socket);
  let text = '';
  const listeners = new Set<() => void>();
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (const listener of listeners) listener();
  });
  socket.on('error', () => undefined);
  const ended = new Promise<void>(resolve => socket.once('close', () => resolve()));
  await new Promise<void>(resolve => socket.once('connect', resolve));
  return {
    socket,
    text: () => text,
    send: bytes => void socket.write(bytes),
    received: pattern =>
      new Promise(resolve => {
        const look = (): void => {
          if (!pattern.test(text)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
      }),
    ended,
  };
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const hello: RequestListener = (_request, response) => void response.end('hello');

/** Resolves when the server has seen so many connections: a client's `connect` may be earlier than its accept. */
async function accepted(server: Server, count: number): Promise<void> {
  const open = (): Promise<number> =>
    new Promise((resolve, reject) =>
      server.getConnections((error, number) => (error === null ? resolve(number) : reject(error))),
    );
  while ((await open()) < count) await new Promise(resolve => setImmediate(resolve));
}

test('without a connection there is nothing to wait for', async () => {
  const { leave } = await setUp(hello);
  expect(await leave({ idleGraceMs: 600_000, timeoutMs: 600_000 })).toEqual([]);
});

test('new connections are refused, while an idle one may send one more request and gets `Connection: close`', async () => {
  const { connect: open, leave, server } = await setUp(hello);
  const client = await open();
  client.send(GET);
  await client.received(/hello/);
  expect(client.text()).toMatch(/Connection: keep-alive/);
  const left = leave();
  expect(server.listening).toBe(false);
  client.send(GET);
  await client.ended;
  expect(client.text().match(/hello/g)).toHaveLength(2);
  expect(client.text()).toMatch(/Connection: close/);
  expect(await left).toEqual([]);
});

test('connections that say nothing, or half a head, are closed after the grace period, and are no failure', async () => {
  const { connect: open, leave, server } = await setUp(hello);
  const clients = [await open(), await open()];
  clients[1]?.send('GET / HTTP/1.1\r\nHos');
  await accepted(server, 2);
  expect(await leave()).toEqual([]);
  await Promise.all(clients.map(({ ended }) => ended));
  expect(clients.map(({ text }) => text())).toEqual(['', '']);
});

test('an answer that is being made is finished, and closes its connection', async () => {
  let finish: () => void = () => undefined;
  const {
    connect: open,
    leave,
    server,
  } = await setUp((_request, response) => {
    finish = () => void response.end('late');
  });
  const client = await open();
  client.send(GET);
  await new Promise(resolve => server.once('request', resolve));
  const left = leave({ idleGraceMs: 50, timeoutMs: 5_000 });
  setTimeout(() => finish(), 150); // well after the grace period
  await client.ended;
  expect(client.text()).toMatch(/Connection: close[\s\S]*late/);
  expect(await left).toEqual([]);
});

test('requests in a pipeline are all answered, the last one with Connection: close', async () => {
  const { connect: open, leave } = await setUp((request, response) => {
    setTimeout(() => response.end(`answer to ${request.url}`), request.url === '/1' ? 50 : 150);
  });
  const client = await open();
  client.send('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.received(/answer to \/1/);
  expect(await leave()).toEqual([]);
  await client.ended;
  expect(client.text()).toMatch(/answer to \/1[\s\S]*Connection: close[\s\S]*answer to \/2/);
});

test('an upload that is under way is read to its end', async () => {
  const {
    connect: open,
    leave,
    server,
  } = await setUp((request, response) => {
    let size = 0;
    request
      .on('data', (chunk: Buffer) => (size += chunk.length))
      .on('end', () => response.end(`got ${size}`));
  });
  const client = await open();
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345');
  await new Promise(resolve => server.once('request', resolve));
  const left = leave({ idleGraceMs: 50, timeoutMs: 5_000 });
  setTimeout(() => client.send('67890'), 150);
  await client.ended;
  expect(client.text()).toMatch(/got 10/);
  expect(await left).toEqual([]);
});

test('Expect: 100-continue gets its go-ahead and its answer', async () => {
  const { connect: open, leave } = await setUp((request, response) => {
    request.resume().on('end', () => response.end('thanks'));
  });
  const client = await open();
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n');
  await client.received(/100 Continue/);
  const left = leave({ idleGraceMs: 50, timeoutMs: 5_000 });
  client.send('ok');
  await client.ended;
  expect(client.text()).toMatch(/thanks/);
  expect(await left).toEqual([]);
});

test('a download that began before goes on; its connection may send one more request, and is then closed', async () => {
  const { connect: open, leave } = await setUp((request, response) => {
    if (request.url === '/more') return void response.end('more');
    response.write('begin ');
    setTimeout(() => response.end('end'), 300);
  });
  const client = await open();
  client.send(GET);
  await client.received(/begin/);
  const left = leave({ idleGraceMs: 200, timeoutMs: 5_000 });
  await client.received(/end\r\n0/);
  client.send('GET /more HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.ended;
  expect(client.text()).toMatch(/Connection: close[\s\S]*more$/);
  expect(await left).toEqual([]);
});

test('what is not done at the deadline is cut, and logged', async () => {
  const { connect: open, leave } = await setUp((_request, response) => void response.write('for ever'));
  const client = await open();
  client.send('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.received(/for ever/);
  expect(await leave({ idleGraceMs: 10, timeoutMs: 100 })).toEqual([
    { method: 'GET', url: '/endless', requestId: undefined },
  ]);
  await client.ended;
});

test('the log names the whole path of what is cut, and its id, even if a router has changed the request', async () => {
  const { connect: open, leave } = await setUp((request, response) => {
    Object.assign(request, { id: 'a-1', originalUrl: '/api/endless', url: '/endless' });
    response.write('for ever');
  });
  const client = await open();
  client.send('GET /api/endless HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.received(/for ever/);
  expect(await leave({ idleGraceMs: 10, timeoutMs: 50 })).toEqual([
    { method: 'GET', url: '/api/endless', requestId: 'a-1' },
  ]);
});

test('a client that never reads cannot keep a worker', async () => {
  const {
    connect: open,
    leave,
    server,
  } = await setUp((_request, response) => void response.end(Buffer.alloc(50_000_000)));
  const client = await open();
  client.socket.pause();
  client.send('GET /huge HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise(resolve => server.once('request', resolve));
  expect(await leave({ idleGraceMs: 10, timeoutMs: 150 })).toEqual([
    { method: 'GET', url: '/huge', requestId: undefined },
  ]);
});

test('an upgraded connection is closed after the grace period', async () => {
  const { connect: open, leave, server } = await setUp(hello);
  server.on(
    'upgrade',
    (_request, socket: Socket) =>
      void socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n'),
  );
  const client = await open();
  client.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n');
  await client.received(/101/);
  expect(await leave({ idleGraceMs: 50, timeoutMs: 60_000 })).toEqual([]);
  await client.ended;
});

test('answers written with a flat array of headers close their connection as well', async () => {
  const { connect: open, leave } = await setUp((_request, response) => {
    response.writeHead(200, ['Content-Length', '2']);
    response.end('ok');
  });
  const client = await open();
  client.send(GET);
  await client.received(/ok/);
  const left = leave();
  client.send(GET);
  await client.ended;
  expect(client.text()).toMatch(/Connection: close\r\n\r\nok$/);
  expect(await left).toEqual([]);
});

/** Requests that wait until the test answers them. */
function byHand() {
  const waiting = new Map<string, () => void>();
  const asked = new EventEmitter();
  const listener: RequestListener = (request, response) => {
    const { url = '' } = request.resume();
    waiting.set(url, () => void response.end(`answer to ${url}`));
    asked.emit(url);
  };
  return { listener, asked, answer: (url: string) => waiting.get(url)?.() };
}

test('a request pipelined behind one in flight while it drains is answered as well, as the last one', async () => {
  const { listener, asked, answer } = byHand();
  const { connect: open, leave } = await setUp(listener);
  const client = await open();
  client.send('GET /1 HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(asked, '/1');
  const left = leave({ idleGraceMs: 50, timeoutMs: 5_000 });
  client.send('POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok');
  await once(asked, '/2');
  answer('/2');
  answer('/1');
  await client.ended;
  expect(client.text()).toMatch(/answer to \/1[\s\S]*Connection: close[\s\S]*answer to \/2$/);
  expect(client.text().match(/Connection: close/g)).toHaveLength(1);
  expect(await left).toEqual([]);
});

test('two requests that come at once on an idle connection are both answered', async () => {
  const { connect: open, leave, server } = await setUp(hello);
  const client = await open();
  await accepted(server, 1);
  const left = leave();
  client.send(GET + GET);
  await client.ended;
  expect(client.text().match(/hello/g)).toHaveLength(2);
  expect(client.text()).toMatch(/Connection: close\r\n[\s\S]*hello$/);
  expect(await left).toEqual([]);
});

test('Expect: 100-continue that comes during the drain gets its go-ahead, and its answer past the window', async () => {
  const {
    connect: open,
    leave,
    server,
  } = await setUp((request, response) => {
    request.resume().on('end', () => response.end('thanks'));
  });
  const client = await open();
  await accepted(server, 1);
  const left = leave({ idleGraceMs: 100, timeoutMs: 5_000 });
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n');
  await client.received(/100 Continue/);
  setTimeout(() => client.send('ok'), 250); // well after the grace period
  await client.ended;
  expect(client.text()).toMatch(/Connection: close[\s\S]*thanks$/);
  expect(await left).toEqual([]);
});

test('an upload that is not done at the deadline is cut, and logged', async () => {
  const { connect: open, leave, server } = await setUp(request => void request.resume());
  const client = await open();
  client.send('PUT /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345');
  await once(server, 'request');
  expect(await leave({ idleGraceMs: 10, timeoutMs: 100 })).toEqual([
    { method: 'PUT', url: '/slow', requestId: undefined },
  ]);
  await client.ended;
});

test('what came within the window is answered, though a handler blocked the loop until after it', async () => {
  const { leave, server } = await setUp((request, response) => {
    if (request.url === '/block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    response.end('hello');
  });
  const client = new Worker(
    `const net = require('node:net');
     const { workerData: port, parentPort } = require('node:worker_threads');
     const say = path => 'GET ' + path + ' HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n';
     let text = '';
     const idle = net.connect(port, '127.0.0.1', () => idle.write(say('/')));
     idle.once('data', () => {
       net.connect(port, '127.0.0.1', function () { this.write(say('/block')); }).on('error', () => undefined);
       setTimeout(() => idle.write(say('/')), 150);
     });
     idle.on('data', piece => (text += piece)).on('error', () => undefined);
     idle.on('close', () => parentPort.postMessage(text));`,
    { eval: true, workerData: (server.address() as AddressInfo).port },
  );
  await once(server, 'connection');
  await once(server, 'connection'); // the one that blocks
  // The loop stands still from about now until well after the window; the idle connection speaks within it.
  const left = leave({ idleGraceMs: 200, timeoutMs: 5_000 });
  const [text] = (await once(client, 'message')) as [string];
  expect(text.match(/hello/g)).toHaveLength(2);
  expect(await left).toEqual([]);
  await client.terminate();
});

test("a handler's own Connection: keep-alive does not keep its connection", async () => {
  const {
    connect: open,
    leave,
    server,
  } = await setUp((_request, response) => {
    response.setHeader('Connection', 'keep-alive').end('hello');
  });
  const client = await open();
  await accepted(server, 1);
  const left = leave();
  client.send(GET);
  await client.ended;
  expect(client.text()).toMatch(/hello/);
  expect(await left).toEqual([]);
});

test('in a hurry the deadline comes sooner, and never later again', async () => {
  const {
    connect: open,
    leave,
    hurry,
  } = await setUp((_request, response) => void response.write('for ever'));
  const client = await open();
  client.send('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.received(/for ever/);
  const left = leave({ idleGraceMs: 10, timeoutMs: 600_000 });
  hurry(100);
  hurry(600_000);
  expect(await left).toEqual([{ method: 'GET', url: '/endless', requestId: undefined }]);
});

test('who was hurried before the drain begins has no more time than that', async () => {
  const {
    connect: open,
    leave,
    hurry,
  } = await setUp((_request, response) => void response.write('for ever'));
  const client = await open();
  client.send('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.received(/for ever/);
  hurry(100);
  expect(await leave({ idleGraceMs: 10, timeoutMs: 600_000 })).toEqual([
    { method: 'GET', url: '/endless', requestId: undefined },
  ]);
});
