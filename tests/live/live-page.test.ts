/** The live page where its files or its service are not as they should be: nothing here may end the observer thread. */
import http from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, ListenOptions } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventLine, keptEvent } from '../../src/live/history.js';
import { isExpectedHost, openLivePage, type LivePageNeeds } from '../../src/live/live-page.js';
import type { Lifecycle } from '../../src/live/messages.js';
import { HISTORY } from '../../src/observability/service-folder.js';
import { lifecycle } from '../support/live-page-messages.js';
import { liveStream, type LiveStream } from '../support/live-stream.js';
import { request, until } from '../support/processes.js';

let folder: string;
const servers: http.Server[] = [];
const streams: LiveStream[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cabe-live-'));
});
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise(done => server.close(done));
  }
  rmSync(folder, { recursive: true });
});

async function listening(server: http.Server, where: ListenOptions): Promise<void> {
  servers.push(server);
  await new Promise<void>(done => server.listen(where, done));
}

/** @returns the port on which the page is served */
async function opened(needs: Partial<LivePageNeeds> = {}): Promise<number> {
  const page = openLivePage({
    app: 'app',
    token: 'a-token-of-the-tests',
    supervisedBy: 'none',
    controlSocket: undefined,
    folder,
    pageFolder: join(folder, 'missing'),
    host: '127.0.0.1',
    address: '127.0.0.1',
    log: () => undefined,
    ...needs,
  });
  const server = http.createServer((asked, response) => {
    if (!page.answer(asked, response)) response.writeHead(404).end();
  });
  await listening(server, { port: 0, host: '127.0.0.1' });
  return (server.address() as AddressInfo).port;
}

test('without the files of the page it says so once, and answers', async () => {
  const lines: string[] = [];
  const port = await opened({ log: (_level, msg) => void lines.push(msg) });
  expect((await request(port, '/')).status).toBe(404);
  expect((await request(port, '/')).status).toBe(404);
  expect(lines).toEqual([
    expect.stringMatching(/^The live page cannot be served; "yarn build" makes it: ENOENT/),
  ]);
  expect((await request(port, '/live/../secret')).status).toBe(404);
});

describe('events of the supervisor', () => {
  const events = [1, 2, 3].map(at => lifecycle(at, { text: `reload ${at}` }));

  /** A supervisor that does not answer until it is told to. */
  async function supervisor(known: Lifecycle[]) {
    const controlSocket = join(folder, 'supervisor.sock');
    const told = { status: false, events: false, last: known.length, asked: 0 };
    const server = http.createServer(({ url = '' }, response) => {
      const after = Number(/after=(\d+)/.exec(url)?.[1] ?? NaN);
      if (url === '/status') return void response.writeHead(told.status ? 200 : 500).end('{}');
      told.asked++;
      const since = after > told.last ? [] : known.slice(after);
      response.writeHead(told.events ? 200 : 500).end(JSON.stringify({ last: told.last, events: since }));
    });
    await listening(server, { path: controlSocket });
    return { controlSocket, told };
  }

  function watch(port: number): LiveStream {
    const stream = liveStream(port);
    streams.push(stream);
    return stream;
  }

  const looks = (stream: LiveStream, number: number): Promise<void> =>
    until(() => stream.moments.length >= number, `${number} looks`);

  const texts = (stream: LiveStream): string[] => stream.lifecycle.map(({ text }) => text);

  test('that the holder before has told are not told again, also where the first look finds no supervisor', async () => {
    writeFileSync(join(folder, HISTORY), events.slice(0, 2).map(keptEvent).map(eventLine).join(''));
    const { controlSocket, told } = await supervisor(events);
    const port = await opened({ controlSocket });
    await until(() => told.asked > 0, 'the first look');
    const stream = watch(port);
    await looks(stream, 1);
    expect(texts(stream)).toEqual(['reload 1', 'reload 2']);
    told.status = told.events = true;
    await looks(stream, 3);
    expect(texts(stream)).toEqual(['reload 1', 'reload 2', 'reload 3']);
  });

  test('are told once, also after another supervisor has answered for a while', async () => {
    const { controlSocket, told } = await supervisor(events);
    told.status = told.events = true;
    const stream = watch(await opened({ controlSocket }));
    await looks(stream, 1);
    told.last = 0;
    await looks(stream, 3);
    told.last = events.length;
    await looks(stream, 5);
    expect(texts(stream)).toEqual(['reload 1', 'reload 2', 'reload 3']);
  });

  test('are told also where its status is missing', async () => {
    const { controlSocket, told } = await supervisor(events);
    told.events = true;
    const stream = watch(await opened({ controlSocket }));
    await looks(stream, 1);
    told.status = true;
    await looks(stream, 3);
    expect(texts(stream)).toEqual(['reload 1', 'reload 2', 'reload 3']);
  });
});

test.each([
  ['127.0.0.1:9464', '127.0.0.1', true],
  ['localhost:9464', '127.0.0.1', true],
  ['LocalHost:9464', '127.0.0.1', true],
  ['api.LOCALHOST', '127.0.0.1', true],
  ['[::1]:9464', '::1', true],
  ['evil.example:9464', '127.0.0.1', false],
  ['evil.example:9464', '::1', false],
  ['evil.example:9464', '::ffff:127.0.0.1', false],
  ['localhost.evil.example', '127.0.0.1', false],
  ['', '127.0.0.1', false],
  ['api.internal:9464', '0.0.0.0', true],
])('host %s on a port of %s: %s', (asked, address, isExpected) => {
  expect(isExpectedHost(asked, { host: address, address })).toBe(isExpected);
});

test('a name that means this machine is expected, and no other one', () => {
  const needs = { host: 'Workstation', address: '127.0.1.1' };
  expect(isExpectedHost('workstation:9464', needs)).toBe(true);
  expect(isExpectedHost('evil.example:9464', needs)).toBe(false);
});
