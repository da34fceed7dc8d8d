/**
 * The ordinary packages of the Express world, on what the build makes: natively and under PM2, with the tuning of Express
 * on and off. `yarn test:ecosystem` runs it.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { freePort, request, ROOT, start, until, type Answer } from '../support/processes.js';
import { project } from './project.js';
import { endAll, ofProcess, serve, type Served, type Way } from './services.js';
import { receiveTraces, type Span, type Traces } from './traces.js';

jest.setTimeout(120_000);

const NOTES = 'Take one arena, and fill it.\n';
const REGISTER = '@opentelemetry/auto-instrumentations-node/register';

/** The trace of a caller, who has a span of its own in it. */
const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };

/** The project whose app has the routes of the overlay; and the one whose entry imports the logger as well. */
let withRoutes: string;
let withHooks: string;
let files: string;
/** Where the proxy sends what it gets: it tells what has come. */
let upstream: Server;
/** What the routes of the overlay need to know. */
let needs: Record<string, string>;

beforeAll(async () => {
  withRoutes = project();
  withHooks = project({ hooks: true });
  files = mkdtempSync(join(tmpdir(), 'cabe-files-'));
  writeFileSync(join(files, 'notes.txt'), NOTES);
  // No Node can run an enum by itself.
  writeFileSync(join(files, 'typed.ts'), 'enum Size { small = 1 }\nexport const size: Size = Size.small;\n');
  upstream = createServer((incoming, response) => {
    const { method, url, headers } = incoming;
    void text(incoming).then(body => {
      response.setHeader('X-Upstream', 'yes').end(JSON.stringify({ method, url, host: headers.host, body }));
    });
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  needs = {
    ECO_UPSTREAM: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    ECO_FILES: files,
    SITE: files,
  };
});

afterAll(async () => {
  await endAll();
  upstream.close();
  upstream.closeAllConnections();
  for (const path of [withRoutes, withHooks, files]) rmSync(path, { recursive: true, force: true });
});

const WAYS = ['native', 'PM2'] as const satisfies Way[];
const COMBINATIONS = WAYS.flatMap(way => (['on', 'off'] as const).map(tuning => ({ way, tuning })));

type Versions = Readonly<Record<string, string>>;

interface Manifest {
  readonly dependencies: Versions;
  readonly devDependencies?: Versions;
}

/** The values of these cookies, as a browser would send them back. */
const cookiesOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map(cookie => cookie.split(';')[0])
    .join('; ');

test('the packages that the project has, too, are of its versions', () => {
  const [ours, theirs] = [ROOT, __dirname].map(at => {
    const { dependencies, devDependencies = {} } = require(join(at, 'package.json')) as Manifest;
    return { ...dependencies, ...devDependencies };
  });
  const shared = Object.keys(theirs ?? {}).filter(name => ours?.[name] !== undefined);
  expect(shared).toEqual(expect.arrayContaining(['express', 'pino']));
  expect(theirs).toMatchObject(Object.fromEntries(shared.map(name => [name, ours?.[name]])));
});

describe.each(COMBINATIONS)('$way, EXPRESS_TUNING=$tuning', ({ way, tuning }) => {
  let served: Served;
  beforeAll(async () => {
    served = await serve(way, withRoutes, { EXPRESS_TUNING: tuning, ...needs });
  });
  afterAll(endAll);

  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${served.port}/eco${path}`, init);

  const json = (path: string, init?: RequestInit): Promise<unknown> => jsonFrom(served, path, init);

  /** A question that `fetch` would not leave as it is: it forbids caches to answer where a header is conditional. */
  const askAsIs = (path: string, headers: Readonly<Record<string, string>>): Promise<Answer> =>
    request(served.port, `/eco${path}`, { headers });

  const GIVEN = { name: 'arena', sizes: [1, 2, 3], wide: 'żółw' };

  test.each([
    ['identity', Buffer.from],
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('express.json reads a body in %s', async (encoding, encode) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': encoding };
    const body = new Uint8Array(encode(JSON.stringify(GIVEN)));
    expect(await json('/echo', { method: 'POST', headers, body })).toEqual(GIVEN);
  });

  test('the features of docs/web.md: CORS, cookies, compression, rate limit, session, static files', async () => {
    const origin = 'https://shop.example';
    const at = (path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`http://127.0.0.1:${served.port}${path}`, init);
    const preflight = await at('/api/reports', {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'GET' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    const headers = { Cookie: 'reader=Ada', 'Accept-Encoding': 'gzip' };
    const report = await at('/api/reports', { headers });
    expect(report.headers.get('content-encoding')).toBe('gzip');
    expect(await report.json()).toMatchObject({ reader: 'Ada' });
    expect((await at('/api/reports')).status).toBe(200);
    expect((await at('/api/reports')).status).toBe(429);
    const first = await at('/api/visits');
    expect(await first.json()).toEqual({ visits: 1 });
    expect(await (await at('/api/visits', { headers: { Cookie: cookiesOf(first) } })).json()).toEqual({
      visits: 2,
    });
    const page = await at('/site/notes.txt');
    expect([await page.text(), page.headers.get('content-security-policy')]).toEqual([
      NOTES,
      "default-src 'self'",
    ]);
  });

  test('express.urlencoded reads a form with nested fields', async () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = 'user[name]=Ada&user[tags][]=a&user[tags][]=b';
    expect(await json('/form', { method: 'POST', headers, body })).toEqual({
      user: { name: 'Ada', tags: ['a', 'b'] },
    });
  });

  test('res.sendFile sends a file with its type', async () => {
    const response = await ask('/sent');
    expect([response.status, await response.text()]).toEqual([200, NOTES]);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });

  test('an app with `etag` tags its answers, and says 304 to who has them', async () => {
    const first = await ask('/tagged');
    expect([first.status, await first.json()]).toEqual([200, { tagged: true }]);
    const tag = first.headers.get('etag') ?? '';
    expect(tag).toMatch(/^"[^"]+"$/);
    const again = await askAsIs('/tagged', { 'If-None-Match': tag });
    expect([again.status, again.text]).toEqual([304, '']);
    expect((await askAsIs('/tagged', { 'If-None-Match': '"another"' })).status).toBe(200);
  });

  test('cookie-parser: a signed cookie is given, read back, and refused when it was changed', async () => {
    const given = await ask('/cookies/give');
    expect([given.status, await given.json()]).toEqual([200, { given: true }]);
    expect(given.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^name=s%3Avalue\.[^;]+; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    const Cookie = cookiesOf(given);
    expect(await json('/cookies/read', { headers: { Cookie } })).toEqual({
      signed: { name: 'value' },
      plain: {},
    });
    expect(await json('/cookies/read', { headers: { Cookie: Cookie.replace('value', 'other') } })).toEqual({
      signed: { name: false },
      plain: {},
    });
  });

  test.each(['gzip', 'br'])('compression answers in %s, an answer in pieces too', async encoding => {
    const headers = { 'Accept-Encoding': encoding };
    const whole = await ask('/compressed/json', { headers });
    expect([whole.status, whole.headers.get('content-encoding')]).toEqual([200, encoding]);
    expect(whole.headers.get('content-length')).toBeNull();
    expect(await whole.json()).toEqual({ text: 'again and '.repeat(1_000) });
    const pieces = await ask('/compressed/stream', { headers });
    expect(pieces.headers.get('content-encoding')).toBe(encoding);
    expect(await pieces.text()).toBe('first second');
  });

  test('helmet: its headers take the place of ours', async () => {
    const { status, headers } = await ask('/helmet');
    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'self';[^,]*$/);
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('cors: a request from another origin, and its preflight', async () => {
    const Origin = 'https://shop.example';
    const preflight = await ask('/cors', {
      method: 'OPTIONS',
      headers: { Origin, 'Access-Control-Request-Method': 'PUT', 'Access-Control-Request-Headers': 'X-Own' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT');
    expect(preflight.headers.get('access-control-allow-headers')).toBe('X-Own');
    const { status, headers } = await ask('/cors', { method: 'PUT', headers: { Origin } });
    expect(status).toBe(200);
    expect(headers.get('access-control-allow-origin')).toBe(Origin);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('vary')).toBe('Origin');
  });

  test('express-rate-limit: the third request is one too many', async () => {
    const statuses = [];
    for (let n = 0; n < 3; n++) {
      const { status, headers } = await ask('/limited');
      statuses.push(status);
      expect(headers.get('ratelimit')).toContain(`r=${Math.max(0, 1 - n)};`);
    }
    expect(statuses).toEqual([200, 200, 429]);
  });

  test('express-session: a session lasts from one request to the next', async () => {
    const first = await ask('/session');
    expect([first.status, await first.json()]).toEqual([200, { visits: 1 }]);
    const headers = { Cookie: cookiesOf(first) };
    expect(headers.Cookie).toMatch(/^connect\.sid=s%3A/);
    expect(await json('/session', { headers })).toEqual({ visits: 2 });
    expect(await json('/session')).toEqual({ visits: 1 });
  });

  test('morgan: the line of a request reaches the log', async () => {
    expect(await json('/morgan?of=mine')).toEqual({ logged: true });
    expect(await served.said(/^morgan/)).toMatchObject({
      by: 'morgan',
      msg: 'morgan GET /eco/morgan?of=mine 200 15',
    });
  });

  test('multer: an uploaded file, and the field beside it', async () => {
    const body = new FormData();
    body.set('title', 'Notes');
    body.set('file', new Blob([NOTES], { type: 'text/plain' }), 'notes.txt');
    const headers = { 'X-Request-Id': 'upload-1' };
    expect(await json('/upload', { method: 'POST', headers, body })).toEqual({
      name: 'notes.txt',
      type: 'text/plain',
      text: NOTES,
      title: 'Notes',
    });
    expect(await served.said(/^Uploaded notes.txt$/)).toMatchObject({ requestId: 'upload-1' });
  });

  test('pino-http: lines with the request in them, in the log of the service', async () => {
    expect(await json('/pino-http', { headers: { 'X-Request-Id': 'mine', Cookie: 'secret=1' } })).toEqual({
      logged: true,
    });
    const req = {
      id: 'mine',
      method: 'GET',
      url: '/eco/pino-http',
      headers: expect.objectContaining({ cookie: '[Redacted]' }),
    };
    expect(await served.said(/^pino-http is at work/)).toMatchObject({ by: 'handler', req });
    expect(await served.said(/^request completed/)).toMatchObject({
      req,
      res: { statusCode: 200, headers: { 'x-request-id': 'mine' } },
      responseTime: expect.any(Number),
    });
  });

  test('http-proxy-middleware: a request and its body go to another server, and its answer comes back', async () => {
    const asked = await ask('/proxy/there?of=mine');
    expect([asked.status, asked.headers.get('x-upstream')]).toEqual([200, 'yes']);
    const host = new URL(needs['ECO_UPSTREAM'] ?? '').host;
    expect(await asked.json()).toEqual({ method: 'GET', url: '/there?of=mine', host, body: '' });
    const body = JSON.stringify(GIVEN);
    const headers = { 'Content-Type': 'application/json' };
    expect(await json('/proxy/there', { method: 'POST', headers, body })).toEqual({
      method: 'POST',
      url: '/there',
      host,
      body,
    });
  });

  test('serve-static: a file, a part of it, and 304 to who has it', async () => {
    const whole = await ask('/static/notes.txt');
    expect([whole.status, await whole.text()]).toEqual([200, NOTES]);
    expect(whole.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const part = await ask('/static/notes.txt', { headers: { Range: 'bytes=5-7' } });
    expect([part.status, await part.text()]).toEqual([206, NOTES.slice(5, 8)]);
    expect(part.headers.get('content-range')).toBe(`bytes 5-7/${NOTES.length}`);
    for (const [name, of] of [
      ['If-None-Match', 'etag'],
      ['If-Modified-Since', 'last-modified'],
    ] as const) {
      const again = await askAsIs('/static/notes.txt', { [name]: whole.headers.get(of) ?? '' });
      expect([name, again.status, again.text]).toEqual([name, 304, '']);
    }
    expect((await ask('/static/missing.txt')).status).toBe(404);
  });

  test('packages that are ES modules only: one required at the start, one imported in a handler', async () => {
    expect(await json('/esm')).toEqual({ id: expect.stringMatching(/^[abc]{12}$/), doubled: [2, 4, 6] });
  });

  test('the logger that a module imports by its name', async () => {
    expect(await json('/logged/me')).toEqual({ logged: true });
    expect(await served.said(/^Hello from me$/)).toMatchObject({ level: 30, by: 'handler' });
  });

  test('a line of a handler has the ids of its request, after an await too', async () => {
    const headers = { 'X-Request-Id': 'later-1', traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-01` };
    expect(await json('/logged-later/me', { headers })).toEqual({ logged: true });
    const ids = { requestId: 'later-1', trace_id: CALLER.traceId, span_id: CALLER.spanId };
    expect(await served.said(/^Hello later from me$/)).toMatchObject(ids);
    expect(await served.said(/^GET \/eco\/logged-later\/me 200 /)).toMatchObject(ids);
  });

  test('after all that, one and the same worker serves, and it has failed only where it should', () => {
    const lines = served.lines();
    expect(lines.filter(({ msg }) => /HTTP server started/.test(msg))).toHaveLength(1);
    expect(lines.filter(({ level = 0 }) => level >= 50)).toEqual([]);
  });
});

/** Asks for what is logged, and resolves with the span of that request which names its route. */
async function traced({ served, traces }: { served: Served; traces: Traces }): Promise<Span> {
  expect(await jsonFrom(served, '/logged/traced')).toEqual({ logged: true });
  let span: Span | undefined;
  await until(
    () => (span = traces.spans.find(({ name }) => name === 'GET /eco/logged/:name')) !== undefined,
    'a span is named by its route',
  ).catch((error: unknown) => {
    const names = traces.spans.map(({ name, scope }) => `${scope}: ${name}`);
    throw new Error(`${String(error)}; the spans were\n${names.join('\n')}`);
  });
  return span as Span;
}

async function expectTraced(served: Served, traces: Traces): Promise<void> {
  const { traceId, spanId, attributes } = await traced({ served, traces });
  expect(attributes).toMatchObject({ 'http.route': '/eco/logged/:name' });
  await until(
    () =>
      traces.spans.some(
        ({ scope, traceId: its }) => its === traceId && scope === '@opentelemetry/instrumentation-express',
      ),
    'the instrumentation of Express has seen that request',
  );
  // The handler's span is one of Express, inside the server's.
  expect(await served.said(/^Hello from traced$/)).toMatchObject({
    by: 'handler',
    requestId: expect.any(String),
    trace_id: traceId,
    span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
  });
  expect(await served.said(/^GET \/eco\/logged\/traced 200 /)).toMatchObject({
    status: 200,
    trace_id: traceId,
    span_id: spanId,
  });
  await expectJoined(served, traces);
}

/** The trace of a caller goes on: its span is the parent of ours, and our lines name ours. */
async function expectJoined(served: Served, traces: Traces): Promise<void> {
  const headers = { traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-01` };
  expect(await jsonFrom(served, '/logged-later/joined', { headers })).toEqual({ logged: true });
  const ofServer = (): Span | undefined =>
    traces.spans.find(({ parentSpanId }) => parentSpanId === CALLER.spanId);
  await until(() => ofServer() !== undefined, "a span has the caller's as its parent");
  expect(ofServer()).toMatchObject({ traceId: CALLER.traceId, name: 'GET /eco/logged-later/:name' });
  expect(await served.said(/^Hello later from joined$/)).toMatchObject({ trace_id: CALLER.traceId });
  expect(await served.said(/^GET \/eco\/logged-later\/joined 200 /)).toMatchObject({
    trace_id: CALLER.traceId,
    span_id: ofServer()?.spanId,
  });
}

/** The environment and the receiver that the documentation gives, with another port. */
function recipe(port: number): { readonly env: Record<string, string>; readonly receiver: string } {
  const page = readFileSync(join(ROOT, 'docs', 'observability.md'), 'utf8').replaceAll('4318', String(port));
  const [, shell = ''] = /### OpenTelemetry[\s\S]*?```bash\n([\s\S]*?)```/.exec(page) ?? [];
  const [, receiver = ''] = /```js\n(\/\/ receiver\.js[\s\S]*?)```/.exec(page) ?? [];
  const variables = [...shell.matchAll(/\b([A-Z_]+)=('[^']*'|\S+)/g)];
  const env = variables.map(([, name = '', value = '']) => [name, value.replaceAll("'", '')]);
  return { env: Object.fromEntries(env) as Record<string, string>, receiver };
}

describe('OpenTelemetry', () => {
  let traces: Traces;
  beforeEach(async () => {
    traces = await receiveTraces();
  });
  afterEach(async () => {
    await endAll();
    traces.close();
  });

  test.each(COMBINATIONS)(
    'preloaded, $way, EXPRESS_TUNING=$tuning: spans by route, and their ids in the log',
    async ({ way, tuning }) => {
      const NODE_OPTIONS = `--require ${REGISTER}`;
      const served = await serve(way, withRoutes, {
        EXPRESS_TUNING: tuning,
        NODE_OPTIONS,
        ...needs,
        ...traces.env,
      });
      await expectTraced(served, traces);
    },
  );

  test('preloaded with source maps, alone: the same, and stacks name the sources', async () => {
    const NODE_OPTIONS = `--enable-source-maps --require ${REGISTER}`;
    const served = await serve('alone', withRoutes, { NODE_OPTIONS, ...needs, ...traces.env });
    await expectTraced(served, traces);
    await expectSources(served);
  });

  test.each(WAYS)(
    'as docs/observability.md says, %s: its receiver prints the spans of log lines',
    async way => {
      const { env, receiver } = recipe(await freePort());
      const receiving = start(['-e', receiver]);
      const served = await serve(way, withRoutes, {
        ...env,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_NODE_RESOURCE_DETECTORS: 'env',
        ...needs,
      });
      expect(await jsonFrom(served, '/logged/recipe')).toEqual({ logged: true });
      const { trace_id: traceId, span_id: spanId } = await served.said(/^GET \/eco\/logged\/recipe 200 /);
      await until(
        () => receiving.text().includes(`${String(traceId)} ${String(spanId)} GET /eco/logged/:name`),
        'the receiver has printed the span',
      );
    },
  );

  test('required by the first line of the entry, alone: the same', async () => {
    const served = await serve('alone', withHooks, { ECO_REQUIRED: REGISTER, ...needs, ...traces.env });
    await expectTraced(served, traces);
  });
});

/** What each option of Node must bring about. */
const OPTIONS: Readonly<Record<string, (served: Served) => Promise<void>>> = {
  '--inspect=0': expectDebugger,
  '--enable-source-maps': expectSources,
  '--import tsx': expectTypeScript,
};

describe('options of Node', () => {
  afterEach(endAll);

  test.each(Object.entries(OPTIONS))('%s, alone', async (NODE_OPTIONS, expectIt) => {
    await expectIt(await serve('alone', withRoutes, { NODE_OPTIONS, ...needs }));
  });

  test.each(WAYS)('all of them, %s', async way => {
    const NODE_OPTIONS = Object.keys(OPTIONS).join(' ');
    const served = await serve(way, withRoutes, { NODE_OPTIONS, ...needs });
    for (const expectIt of Object.values(OPTIONS)) await expectIt(served);
  });
});

/** The answer to an ordinary question, which must be 200. */
async function jsonFrom({ port }: Served, path: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/eco${path}`, init);
  const body = await response.text();
  expect([response.status, body]).toEqual([200, expect.any(String)]);
  return JSON.parse(body);
}

/** A debugger that asks at the worker's address finds it there. */
async function expectDebugger(served: Served): Promise<void> {
  const { debugger: url } = (await jsonFrom(served, '/options')) as { debugger: string };
  expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/[-0-9a-f]+$/);
  const targets = await (await fetch(`http://${new URL(url).host}/json/list`)).json();
  expect(targets).toEqual([expect.objectContaining({ webSocketDebuggerUrl: url })]);
}

/** An error of a handler is logged with the place in the source that has thrown it. */
async function expectSources(served: Served): Promise<void> {
  expect(await jsonFrom(served, '/options')).toMatchObject({ sourceMaps: true });
  expect((await fetch(`http://127.0.0.1:${served.port}/eco/broken`)).status).toBe(500);
  const { err } = await served.said(/^Request failed$/);
  expect(err).toMatchObject({
    message: 'broken on purpose',
    stack: expect.stringMatching(/src\/ecosystem\/routes\.ts:\d+/),
  });
}

async function expectTypeScript(served: Served): Promise<void> {
  expect(await jsonFrom(served, '/typescript')).toEqual({ size: 1 });
}

describe('an entry that imports the logger, and hands over a close hook that logs', () => {
  afterEach(endAll);

  /** Requests in a row: one that harmed the log would cost the worker its life. */
  async function expectLogs(served: Served): Promise<void> {
    await served.said(/The entry was loaded/);
    for (const name of ['Ada', 'Bob', 'Cem']) {
      expect(await jsonFrom(served, `/logged/${name}`)).toEqual({ logged: true });
      await served.said(new RegExp(`Hello from ${name}`));
      await served.said(new RegExp(`GET /eco/logged/${name} 200 `));
    }
    await served.stop();
    await served.said(/The close hook was run/);
    expect(served.lines().filter(({ msg }) => /HTTP server started/.test(msg))).toHaveLength(1);
  }

  test.each(['alone', 'native', 'PM2'] as const)('%s', async way => {
    await expectLogs(await serve(way, withHooks, needs));
  });

  test('in development, from the sources', async () => {
    const port = await freePort();
    const tsx = join(ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs');
    const shell = { HOST: '127.0.0.1', PORT: String(port), NODE_ENV: 'development', NO_COLOR: '1', ...needs };
    const running = start([tsx, 'src/index.ts'], shell, withHooks);
    await running.said(/HTTP server started successfully/);
    await expectLogs({ port, ...ofProcess(running) });
  });
});
