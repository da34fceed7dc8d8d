/** A server of a test's own that plays the live page whatever the test wants, and Debian's Chromium to look at it. */
import { existsSync } from 'node:fs';
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import type { LiveHistory, LogLine, Lifecycle, Moment } from '../../src/live/messages.js';
import { PAGE_HEADERS, readPage } from '../../src/live/page-files.js';

/** `yarn build` makes it. */
const PAGE = resolve(__dirname, '..', '..', 'dist', 'live', 'page');

interface Messages {
  readonly history: LiveHistory;
  readonly moment: Moment;
  readonly lifecycle: Lifecycle;
  readonly log: LogLine;
}

export interface Order {
  readonly path: string;
  readonly body: unknown;
  readonly headers: http.IncomingHttpHeaders;
}

export interface PageServer {
  readonly url: string;
  /** What each new viewer gets first. */
  history: LiveHistory;
  /** All orders so far. */
  readonly orders: readonly Order[];
  send<Name extends keyof Messages>(name: Name, data: Messages[Name]): void;
  viewers(): number;
  /** Ends the connections of all viewers, as the end of a worker does. */
  drop(): void;
  close(): Promise<void>;
}

export async function pageServer(): Promise<PageServer> {
  const files = readPage(PAGE);
  const viewers = new Set<ServerResponse>();
  const orders: Order[] = [];
  const write = (response: ServerResponse, name: string, data: unknown): boolean =>
    response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  const server = http.createServer((request, response) => {
    const path = request.url ?? '';
    const file = files.get(path);
    if (request.method === 'POST') return takeOrder(request, response, orders);
    if (file !== undefined)
      return void response.writeHead(200, { ...PAGE_HEADERS, 'Content-Type': file.type }).end(file.body);
    if (path !== '/live') return void response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    viewers.add(response);
    response.on('close', () => viewers.delete(response));
    write(response, 'history', served.history);
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const served: PageServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    history: { moments: [], lifecycle: [] },
    orders,
    send(name, data) {
      for (const viewer of viewers) write(viewer, name, data);
    },
    viewers: () => viewers.size,
    drop: () => server.closeAllConnections(),
    async close() {
      const closed = new Promise(done => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
  return served;
}

/** Without the right token, as the management port refuses it. */
function takeOrder(request: http.IncomingMessage, response: ServerResponse, orders: Order[]): void {
  let text = '';
  request.setEncoding('utf8').on('data', (part: string) => (text += part));
  request.on('end', () => {
    orders.push({ path: request.url ?? '', body: JSON.parse(text), headers: request.headers });
    const isAllowed = request.headers.authorization === 'Bearer right';
    response.writeHead(isAllowed ? 200 : 401, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(isAllowed ? { ok: true } : { reason: 'this is not the token' }));
  });
}

/** Where Debian and others install it. */
const CHROMIUM = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find(path => path !== undefined && existsSync(path));

/** `false` skips the tests that need it; `CHROMIUM` names one elsewhere. */
export const hasChromium = CHROMIUM !== undefined;

export const browser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM ?? 'chromium', args: ['--no-sandbox', '--disable-gpu'] });
