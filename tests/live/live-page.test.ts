/** The live page where its files or its service are not as they should be: nothing here may end the observer thread. */
import http from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isExpectedHost, openLivePage } from '../../src/live/live-page.js';
import { request } from '../support/processes.js';

const folder = mkdtempSync(join(tmpdir(), 'cabe-live-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('without the files of the page it says so once, and answers', async () => {
  const lines: string[] = [];
  const page = openLivePage({
    app: 'app',
    token: 'a-token-of-the-tests',
    supervisedBy: 'none',
    controlSocket: undefined,
    folder,
    pageFolder: join(folder, 'missing'),
    host: '127.0.0.1',
    address: '127.0.0.1',
    log: (_level, msg) => void lines.push(msg),
  });
  const server = http.createServer((asked, response) => {
    if (!page.answer(asked, response)) response.writeHead(404).end();
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  expect((await request(port, '/')).status).toBe(404);
  expect((await request(port, '/')).status).toBe(404);
  expect(lines).toEqual([
    expect.stringMatching(/^The live page cannot be served; "yarn build" makes it: ENOENT/),
  ]);
  expect((await request(port, '/live/../secret')).status).toBe(404);
  server.close();
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
