/** What a hostile or broken app can do to the supervisor over its channel: break that channel, and nothing else. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  cleanUp,
  CLUSTER,
  folder,
  freePort,
  isAlive,
  start,
  until,
  type Running,
} from '../support/processes.js';
import { answers, appFile, messages, OUR_FIELDS, OUR_WORKER, serving, service } from '../support/service.js';

jest.setTimeout(120_000);
afterEach(cleanUp);

/** Serves in the plain way of node:cluster, until SIGUSR2: then it runs `attack.js`. */
const PROGRAM = `
  require('node:http').createServer((request, response) => response.end('here'))
    .listen(Number(process.env.PORT), () => process.send('ready'));
  process.on('message', message => message === 'shutdown' && process.exit(0));
  process.on('SIGUSR2', () => require('./attack.js'));`;

/** Text or a message as it is on the wire, without the checks of \`process.send\`. */
const RAW = `
  const { writeSync } = require('node:fs');
  function write(data) {
    for (let at = 0; at < data.length; ) {
      try {
        at += writeSync(3, data, at);
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error; // the channel is full
      }
    }
  }
  const raw = text => write(Buffer.from(text + '\\n'));
  const send = message => raw(JSON.stringify(message));
  const internal = message => send({ cmd: 'NODE_CLUSTER', ...message });`;

interface Target {
  readonly running: Running;
  readonly port: number;
  workers(): Promise<number[]>;
  /** @returns the pid of the worker that attacks */
  attack(code: string): Promise<number>;
}

async function target(): Promise<Target> {
  const port = await freePort();
  const file = appFile(PROGRAM, { wait_ready: true, shutdown_with_message: true, min_uptime: 100 });
  const env = { PORT: String(port), RUN_DIR: folder() };
  const running = start([CLUSTER, '--config', file], env);
  const workers = (): Promise<number[]> => serving({ env }).catch(() => []);
  await until(async () => (await workers()).length === 2, 'both serve');
  return {
    running,
    port,
    workers,
    async attack(code) {
      writeFileSync(join(dirname(file), 'attack.js'), RAW + code);
      const [attacker = NaN] = await workers();
      process.kill(attacker, 'SIGUSR2');
      return attacker;
    },
  };
}

async function expectUnharmed({ running, port }: Target): Promise<void> {
  expect(await answers(port)).toBe(true);
  running.kill('SIGTERM');
  expect(await running.ended).toEqual({ code: 0, signal: null });
}

const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** In KB: `VmHWM` is the most that it ever had. */
const memoryOf = (pid: number, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

describe('a worker that breaks its channel is named, killed and replaced; the others and the supervisor go on', () => {
  test.each([
    ['a line that is not JSON', `raw('not json');`, /is not valid JSON|Unexpected token/],
    ['a line that ends in the middle', `raw('{"type":"cabe:draining",');`, /JSON/],
    [
      'a request of node:cluster for an impossible port',
      `internal({ act: 'queryServer', seq: 1, address: '127.0.0.1', port: 99999, addressType: 4, index: 0 });`,
      /address or port that is none/,
    ],
    [
      'a request of node:cluster for a name',
      `internal({ act: 'queryServer', seq: 1, address: 'localhost', port: 0, addressType: 4, index: 0 });
      process.kill(process.pid, 'SIGSTOP');`,
      /address or port that is none/,
    ],
    [
      'a request of node:cluster with megabytes to keep',
      `internal({ act: 'queryServer', address: '127.0.0.1', port: 0, addressType: 4, data: 'x'.repeat(4_000_000) });`,
      /asks to keep more than 4096 characters/,
    ],
    [
      'a request of node:cluster without an address',
      `internal({ act: 'queryServer' });`,
      /address or port that is none/,
    ],
    [
      'a request of node:cluster whose address is no text',
      `internal({ act: 'queryServer', seq: 1, address: { a: 1 }, port: -1, addressType: 6, index: 0 });`,
      /address or port that is none/,
    ],
    [
      'the receipt of a handle that was never sent',
      `send({ cmd: 'NODE_HANDLE_ACK' });`,
      /acknowledges a handle/,
    ],
    [
      'the refusal of a handle that was never sent',
      `send({ cmd: 'NODE_HANDLE_NACK' });`,
      /acknowledges a handle/,
    ],
    [
      'a message without an end',
      `for (const part = Buffer.alloc(65_536, 'x'); ; ) write(part);`,
      /without an end/,
    ],
    [
      'a flood of messages',
      `for (const lines = Buffer.from('{"own":1}\\n'.repeat(5_000)); ; ) write(lines);`,
      /more than 20000 messages a second/,
    ],
    [
      'a flood of messages of node:cluster',
      `for (const lines = Buffer.from('{"cmd":"NODE_CLUSTER"}\\n'.repeat(3_000)); ; ) write(lines);`,
      /more than 20000 messages a second/,
    ],
    [
      "a request to listen on the supervisor's own descriptor",
      `for (let fd = 0; fd < 40; fd++)
        internal({ act: 'queryServer', seq: fd, fd, port: null, address: null, addressType: null, index: 0 });`,
      /asks to listen on descriptor 0 of the supervisor/,
    ],
    [
      'hundreds of requests for a socket of node:cluster',
      `for (let n = 0; n < 500; n++)
        internal({ act: 'queryServer', seq: n, port: 0, address: '127.0.0.1', addressType: 4, index: n });`,
      /more than 64 listening sockets/,
    ],
    ['hundreds of broken lines', `for (let n = 0; n < 300; n++) raw('not json');`, /./],
  ])('%s', async (_name, code, reason) => {
    const scene = await target();
    const [, bystander = NaN] = await scene.workers();
    const attacker = await scene.attack(code);
    await scene.running.said(new RegExp(`^Worker ${attacker} exited \\(signal SIGKILL\\)`));
    const fault = messages(scene.running).filter(line =>
      line.startsWith(`Worker ${attacker} broke its channel: `),
    );
    expect(fault).toHaveLength(1);
    expect(fault[0]).toMatch(reason);
    await until(async () => {
      const now = await scene.workers();
      return now.length === 2 && now.includes(bystander) && !now.includes(attacker);
    }, 'it has been replaced, and the other one has not');
    await expectUnharmed(scene);
  });
});

test('a worker that exits while node:cluster is about to listen for it is replaced', async () => {
  const scene = await target();
  const before = descriptorsOf(scene.running.pid);
  const query = {
    cmd: 'NODE_CLUSTER',
    act: 'queryServer',
    address: '127.0.0.1',
    port: 0,
    addressType: 4,
    index: 0,
  };
  const attacker = await attackWhileSuspended(
    scene,
    `for (let seq = 0; seq < 70; seq++) send({ ...${JSON.stringify(query)}, seq });
     raw('not json');
     process.kill(process.pid, 'SIGKILL');`,
  );
  await scene.running.said(new RegExp(`^Worker ${attacker} exited \\(signal SIGKILL\\)`));
  await until(async () => (await scene.workers()).length === 2, 'it has been replaced');
  await until(() => descriptorsOf(scene.running.pid) <= before + 1, 'nothing more is open');
  await expectUnharmed(scene);
});

test('broken messages that are read once their worker has exited end neither the supervisor nor the service', async () => {
  const scene = await target();
  const [, bystander = NaN] = await scene.workers();
  const attacker = await attackWhileSuspended(
    scene,
    `for (let seq = 0; seq < 200; seq++)
       internal({ act: 'queryServer', seq, address: '127.0.0.1', port: 99999, addressType: 4, index: 0 });
     process.kill(process.pid, 'SIGKILL');`,
  );
  await scene.running.said(new RegExp(`^Worker ${attacker} exited \\(signal SIGKILL\\)`));
  await until(async () => {
    const now = await scene.workers();
    return now.length === 2 && now.includes(bystander);
  }, 'it has been replaced, and the other one has not');
  await expectUnharmed(scene);
});

/** The supervisor finds the messages and the end of the attacker at the same time. */
async function attackWhileSuspended(scene: Target, code: string): Promise<number> {
  const attacker = await scene.attack(`setTimeout(() => { ${code} }, 200);`);
  scene.running.kill('SIGSTOP');
  await until(() => !isAlive(attacker), 'the attacker has ended');
  scene.running.kill('SIGCONT');
  return attacker;
}

test('what a message without an end takes of the memory is bounded, and given back', async () => {
  const scene = await target();
  const before = memoryOf(scene.running.pid, 'VmHWM');
  const attacker = await scene.attack(`for (const part = Buffer.alloc(65_536, 'x'); ; ) write(part);`);
  await scene.running.said(new RegExp(`^Worker ${attacker} exited \\(signal SIGKILL\\)`));
  expect(memoryOf(scene.running.pid, 'VmHWM') - before).toBeLessThan(150 * 1024);
  await expectUnharmed(scene);
});

test('answers of node:cluster that a worker forges end neither the supervisor nor the service', async () => {
  const scene = await target();
  const before = await scene.workers();
  const clients = Array.from({ length: 200 }, () => answers(scene.port));
  await scene.attack(`
    for (let ack = 0; ack < 5_000; ack++) internal({ ack, accepted: ack % 2 === 0 });
    process.send({}, undefined, undefined, () => console.log('attacked'));`);
  await scene.running.said(/^attacked$/);
  await Promise.all(clients);
  for (let request = 0; request < 20; request++) expect(await answers(scene.port)).toBe(true);
  expect(await scene.workers()).toEqual(before);
  await expectUnharmed(scene);
});

describe('what is not for the supervisor has no effect', () => {
  test.each([
    [
      "an app's own messages, of any type",
      `
      for (const type of ['leaving', 'draining', 'boot-failed', 'retire', 'roused'])
        process.send({ type, code: 0, message: 'an own message', port: 1 });`,
    ],
    [
      'messages of ours with impossible fields',
      `
      process.send({ type: 'cabe:listener.wanted', port: 99999 });
      process.send({ type: 'cabe:draining', code: 1e9 });
      process.send({ type: 'cabe:usage', rss: 'all', cpuMs: null });`,
    ],
    [
      'JSON that is no object',
      `for (const text of ['null', '5', '[]', '"x"', '{}', '{"cmd":"NODE_"}']) raw(text);`,
    ],
    [
      'nonsense for node:cluster',
      `
      internal({ act: 'nonsense' });
      for (let n = 0; n < 500; n++) internal({ act: 'online' });
      internal({ act: 'close', key: 'nothing' });
      internal({ ack: 1 });`,
    ],
    ['readiness, thousands of times', `for (let n = 0; n < 5000; n++) process.send('ready');`],
    ['a message of megabytes', `process.send({ own: 'x'.repeat(8_000_000) });`],
    [
      'hundreds of requests for a socket',
      `
      for (let n = 0; n < 500; n++) process.send({ type: 'cabe:listener.wanted', port: 40000 + n, host: '127.0.0.1' });`,
    ],
  ])('%s', async (_name, code) => {
    const scene = await target();
    const before = await scene.workers();
    const descriptors = descriptorsOf(scene.running.pid) + 2;
    const attacker = await scene.attack(
      `${code}\nprocess.send({}, undefined, undefined, () => console.log('attacked'));`,
    );
    await scene.running.said(/^attacked$/);
    await until(() => answers(scene.port), 'it answers');
    await until(() => descriptorsOf(scene.running.pid) <= descriptors, 'no descriptor more is open');
    expect(await scene.workers()).toEqual(before);
    expect(isAlive(attacker)).toBe(true);
    expect(messages(scene.running).filter(line => /broke|drains|exited/.test(line))).toEqual([]);
    expect(messages(scene.running).filter(line => line.endsWith('is online'))).toHaveLength(2);
    await expectUnharmed(scene);
  });
});

test('sockets and servers that a worker sends are closed', async () => {
  const scene = await target();
  const before = descriptorsOf(scene.running.pid);
  const attacker = await scene.attack(`
    const net = require('node:net');
    let left = 300;
    const server = net.createServer(socket => {
      // Every third one as a message that only Node itself sends.
      process.send(left % 3 === 0 ? { cmd: 'NODE_NONSENSE' } : { own: left }, socket);
      if (--left === 0) process.send({ own: 'server' }, server, () => console.log('attacked'));
    });
    server.listen({ port: 0, exclusive: true }, () => {
      for (let n = 0; n < 300; n++) net.connect(server.address().port).on('error', () => undefined);
    });`);
  await scene.running.said(/^attacked$/);
  await until(() => descriptorsOf(scene.running.pid) <= before + 3, 'their descriptors are closed');
  expect(await scene.workers()).toContain(attacker);
  await expectUnharmed(scene);
});

test.each(['net.Socket', 'net.Server', 'net.Native', 'nonsense'])(
  'a server that a worker sends in a forged envelope of Node (%s) is closed, and the worker is replaced',
  async type => {
    const scene = await target();
    const [, bystander = NaN] = await scene.workers();
    const before = descriptorsOf(scene.running.pid);
    for (let times = 0; times < 3; times++) {
      const attacker = await scene.attack(`
        const server = require('node:net').createServer().listen({ port: 0, exclusive: true }, () =>
          process.send({ cmd: 'NODE_HANDLE', type: '${type}', msg: {} }, server));`);
      await scene.running.said(
        new RegExp(`^Worker ${attacker} broke its channel: it sends a handle in a forged message of Node`),
      );
      await until(async () => {
        const now = await scene.workers();
        return now.length === 2 && now.includes(bystander) && !now.includes(attacker);
      }, 'it has been replaced, and the other one has not');
    }
    // As many as before, but for connections of requests for the status.
    await until(() => descriptorsOf(scene.running.pid) <= before + 1, 'its descriptor is closed');
    await expectUnharmed(scene);
  },
);

/** Handles go around `process.send`, which would put them into an envelope and wait for a receipt. */
const SEND_SERVERS = `
  const isOfChannel = ({ description }) => description === 'kChannelHandle';
  const channel = process[Object.getOwnPropertySymbols(process).find(isOfChannel)];
  const { WriteWrap } = process.binding('stream_wrap');
  function sendServers(text) {
    const server = require('node:net').createServer().listen({ port: 0, exclusive: true }, () => {
      for (let left = 20; left > 0; left--) channel.writeUtf8String(new WriteWrap(), text, server._handle);
      server.close();
      setTimeout(() => console.log('attacked'), 100);
    });
  }`;

test.each([
  ['a message without an envelope', '{"own":1}\n'],
  ['a line that has no end', '{"own":1'],
  ['a line that is not JSON', 'not json\n'],
  ['an envelope of a type that Node does not know', '{"cmd":"NODE_HANDLE","type":"nonsense","msg":{}}\n'],
  ['an envelope for UDP', '{"cmd":"NODE_HANDLE","type":"dgram.Socket","dgramType":"udp4","msg":{}}\n'],
  [
    'an envelope for no kind of UDP',
    '{"cmd":"NODE_HANDLE","type":"dgram.Socket","dgramType":"x","msg":{}}\n',
  ],
  [
    'an envelope with the end of the channel',
    '{"cmd":"NODE_HANDLE","type":"net.Server","msg":{}}\n',
    'SIGKILL',
  ],
])('servers that a worker sends with %s are closed', async (_name, text, end = '') => {
  const scene = await target();
  const before = descriptorsOf(scene.running.pid);
  const attacker = await scene.attack(`${SEND_SERVERS}
    sendServers(${JSON.stringify(text)});
    ${end === '' ? '' : `setTimeout(() => process.kill(process.pid, '${end}'), 50);`}`);
  const isOver = ({ msg }: { readonly msg: string }): boolean =>
    msg === 'attacked' || msg.startsWith(`Worker ${attacker} exited`);
  await scene.running.said(isOver);
  await until(async () => (await scene.workers()).length === 2, 'both serve');
  // As many as before, but for connections of requests for the status.
  await until(() => descriptorsOf(scene.running.pid) <= before + 1, 'their descriptors are closed');
  // Its next answer to node:cluster may still continue an unfinished line.
  if (isAlive(attacker)) process.kill(attacker, 'SIGKILL');
  await until(async () => {
    const now = await scene.workers();
    return now.length === 2 && !now.includes(attacker);
  }, 'it has been replaced');
  await expectUnharmed(scene);
});

test('a socket of node:cluster that a worker closes before it listens is closed once the worker has gone', async () => {
  const scene = await target();
  const before = descriptorsOf(scene.running.pid);
  const attacker = await scene.attack(`
    let lines = '';
    for (let index = 0; index < 20; index++) {
      const query = { act: 'queryServer', seq: index, address: '127.0.0.1', port: 0, addressType: 4, index };
      const close = { act: 'close', key: '127.0.0.1:0:4:undefined:' + index };
      for (const message of [query, close]) lines += JSON.stringify({ cmd: 'NODE_CLUSTER', ...message }) + '\\n';
    }
    write(Buffer.from(lines));
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100);`);
  await scene.running.said(new RegExp(`^Worker ${attacker} exited`));
  await until(async () => (await scene.workers()).length === 2, 'it has been replaced');
  await until(() => descriptorsOf(scene.running.pid) <= before + 1, 'nothing more is open');
  await expectUnharmed(scene);
});

test('connections that node:cluster has offered to a worker end with it', async () => {
  const scene = await target();
  const victims = await scene.workers();
  const before = descriptorsOf(scene.running.pid);
  for (const pid of victims) process.kill(pid, 'SIGSTOP');
  // One is offered to each of them, and the others wait.
  const clients = Array.from({ length: 6 }, () => answers(scene.port));
  await until(
    () => descriptorsOf(scene.running.pid) >= before + clients.length - 1,
    'the supervisor has them',
  );
  for (const pid of victims) process.kill(pid, 'SIGKILL');
  // None waits for ever.
  await Promise.all(clients);
  await until(async () => (await scene.workers()).length === 2, 'both have been replaced');
  await until(() => descriptorsOf(scene.running.pid) <= before + 1, 'they are closed');
  await expectUnharmed(scene);
});

test('a worker may listen in every way that Node has, and again where it has closed', async () => {
  const program = `
    const net = require('node:net');
    const { createSocket } = require('node:dgram');
    const path = \`\${__dirname}/\${process.pid}.sock\`;
    const ways = [
      [], [0], ['0'], [null], [0, '127.0.0.1'], [0, '127.0.0.1'], [0, 'localhost'], [0, '0.0.0.0', 10], [{ port: 0 }],
      [{ port: 0, host: '127.0.0.1', backlog: '50' }], [{ port: 0, exclusive: true }], [path], [{ path }],
    ];
    (function next() {
      const way = ways.shift();
      if (way === undefined) return bind();
      const server = net.createServer();
      server.listen(...way, () => server.close(() => server.listen(...way, () => server.close(next))));
    })();
    function bind(isSecond = false) {
      const socket = createSocket('udp4');
      socket.bind(0, '127.0.0.1', () => socket.close(() => (isSecond ? process.send('ready') : bind(true))));
    }
    process.on('message', message => message === 'shutdown' && process.exit(0));`;
  const file = appFile(program, { wait_ready: true, shutdown_with_message: true });
  const env = { RUN_DIR: folder() };
  const running = start([CLUSTER, '--config', file], env);
  await until(async () => (await serving({ env }).catch(() => [])).length === 2, 'both are ready');
  expect(messages(running).filter(line => /broke|exited/.test(line))).toEqual([]);
  running.kill();
  expect((await running.ended).code).toBe(0);
});

describe('heartbeats of a worker whose app has closed their descriptor', () => {
  test.each([
    ['are not written into the file that it opens next', `fs.openSync(process.env.OWN, 'r+')`, 4],
    ['are given up', '0', 0],
  ])('%s; it goes on', async (_name, next, fd) => {
    const own = join(folder(), 'own');
    const data = 'data of the app'.repeat(10_000);
    writeFileSync(own, data);
    const program = `const fs = require('node:fs');
      process.on('SIGUSR2', () => { fs.closeSync(4); console.log('next: ' + ${next}); });
      ${OUR_WORKER}`;
    const file = appFile(program, { ...OUR_FIELDS, instances: 2 });
    const running = await service({ env: { OWN: own }, args: ['--config', file] });
    const before = await serving(running);
    process.kill(before[0] ?? NaN, 'SIGUSR2');
    await running.said(new RegExp(`^next: ${fd}$`));
    // Work makes heartbeats fast.
    const lost = new RegExp(`^Worker ${before[0]} has closed descriptor 4 `);
    await until(
      async () => (await answers(running.port)) && messages(running).some(line => lost.test(line)),
      'said',
    );
    expect(await serving(running)).toEqual(before);
    expect(readFileSync(own, 'utf8')).toBe(data);
    running.kill();
    expect((await running.ended).code).toBe(0);
  });
});
