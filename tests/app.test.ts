import request from 'supertest';
import type { Express } from 'express';
import { createApp } from '../src/app.js';
import { readConfig } from '../src/config.js';
import type { Readiness } from '../src/routes/health.js';
import { createLogger } from '../src/utils/logger.js';
import { VERSION } from '../src/version.js';

/** With `EXPRESS_TUNING=off npm test` the plain paths are tested. */
const { EXPRESS_TUNING } = process.env;

interface Setup {
  readonly app: Express;
  readonly lines: () => Record<string, unknown>[];
}

function setUp(env: Record<string, string> = {}, readiness: () => Readiness = () => 'ready'): Setup {
  const config = readConfig({ NODE_ENV: 'production', EXPRESS_TUNING, ...env });
  const written: string[] = [];
  const write = (line: string): void => void written.push(line);
  const logger = createLogger({ env: 'production', output: { write, writeSoon: write } });
  return {
    app: createApp({ config, logger, readiness }),
    lines: () => written.map(line => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('GET /health', () => {
  test('answers with its documented keys in their order', async () => {
    const { body, status } = await request(setUp().app).get('/health');
    expect(status).toBe(200);
    expect(Object.keys(body as object)).toEqual(['status', 'timestamp', 'uptime', 'worker']);
    expect(body).toEqual({
      status: 'ok',
      timestamp: expect.any(String),
      uptime: expect.any(Number),
      worker: process.pid,
    });
    const { timestamp } = body as { timestamp: string };
    expect(new Date(timestamp).toISOString()).toBe(timestamp);
  });

  test('answers HEAD without a body, and other methods with 405 and Allow', async () => {
    const { app } = setUp();
    expect((await request(app).head('/health')).status).toBe(200);
    const { status, headers, body } = await request(app).post('/health');
    expect(status).toBe(405);
    expect(headers['allow']).toBe('GET, HEAD');
    expect(body).toMatchObject({ title: 'Method Not Allowed', status: 405 });
  });
});

test('GET /api/status answers with version, environment and worker', async () => {
  const { text } = await request(setUp().app).get('/api/status');
  expect(text).toBe(
    `{"message":"Cabe Arena API is running","version":"${VERSION}","environment":"production","worker":${process.pid}}`,
  );
});

describe('probes', () => {
  test.each<[Readiness, number]>([
    ['starting', 503],
    ['ready', 200],
    ['stopping', 503],
  ])('/readyz while %s is %i, and /livez is always 200', async (state, status) => {
    const { app } = setUp({}, () => state);
    const ready = await request(app).get('/readyz');
    expect([ready.status, ready.body]).toEqual([status, { status: state }]);
    expect((await request(app).get('/livez')).status).toBe(200);
  });
});

describe('an error is answered as problem+json with the id of the request', () => {
  test.each([
    ['an unknown route', 404, 'There is nothing at /nowhere', (app: Express) => request(app).get('/nowhere')],
    [
      'a URL that cannot be decoded',
      400,
      'The URL is not validly percent-encoded',
      (app: Express) => request(app).get('/%ff'),
    ],
    [
      'malformed JSON',
      400,
      expect.stringMatching(/JSON/),
      (app: Express) => request(app).post('/api/status').set('Content-Type', 'application/json').send('{bad'),
    ],
    [
      'too large a body',
      413,
      'request entity too large',
      (app: Express) =>
        request(app)
          .post('/api/status')
          .send({ text: 'x'.repeat(200_000) }),
    ],
    [
      'an unknown charset',
      415,
      'unsupported charset "X-UNKNOWN"',
      (app: Express) =>
        request(app)
          .post('/api/status')
          .set('Content-Type', 'application/json; charset=x-unknown')
          .send('{}'),
    ],
  ])('%s', async (_name, status, detail, ask) => {
    const answer = await ask(setUp().app);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({
      type: 'about:blank',
      status,
      detail,
      requestId: answer.headers['x-request-id'],
    });
  });

  function withFailure(env: Record<string, string>): Setup {
    const setup = setUp(env);
    const { router } = setup.app as unknown as { router: { stack: unknown[] } };
    setup.app.get('/sync', () => {
      throw new Error('secret detail');
    });
    setup.app.get('/async', async () => Promise.reject(new Error('secret detail')));
    setup.app.get('/nothing', () => {
      throw null;
    });
    // New routes are added behind the 404: move them before the last two handlers.
    const added = router.stack.splice(-3);
    router.stack.splice(-2, 0, ...added);
    return setup;
  }

  test.each(['/sync', '/async'])(
    'an error in a handler (%s) is a 500 without details in production',
    async path => {
      const { app, lines } = withFailure({});
      const answer = await request(app).get(path);
      expect(answer.status).toBe(500);
      expect(answer.body).toEqual({
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
        requestId: expect.any(String),
      });
      expect(lines()[0]).toMatchObject({
        level: 50,
        msg: 'Request failed',
        err: { message: 'secret detail', stack: expect.any(String) },
      });
    },
  );

  test('in development the answer has message and stack', async () => {
    const answer = await request(withFailure({ NODE_ENV: 'development' }).app).get('/sync');
    expect(answer.body).toMatchObject({
      detail: 'secret detail',
      stack: expect.stringContaining('app.test'),
    });
  });
});

describe('request ids', () => {
  test('a valid id is used and returned', async () => {
    const { headers } = await request(setUp().app).get('/health').set('X-Request-Id', 'trace/01:a-b_c.d~e=');
    expect(headers['x-request-id']).toBe('trace/01:a-b_c.d~e=');
  });

  test.each(['a b', 'x'.repeat(129), 'ä', '"quoted"'])('an invalid id (%p) is replaced', async id => {
    const { headers } = await request(setUp().app)
      .get('/health')
      .set('X-Request-Id', Buffer.from(id).toString('latin1'));
    expect(headers['x-request-id']).toMatch(/^[\w-]{8}-0$/);
  });

  test('generated ids differ', async () => {
    const { app } = setUp();
    const ids = [await request(app).get('/health'), await request(app).get('/health')].map(
      ({ headers }) => headers['x-request-id'],
    );
    expect(new Set(ids).size).toBe(2);
  });
});

describe('the access log', () => {
  test('has one line for each request, with its id', async () => {
    const { app, lines } = setUp();
    const { headers } = await request(app).get('/api/status?x=1');
    expect(lines()).toEqual([
      expect.objectContaining({
        level: 30,
        requestId: headers['x-request-id'],
        method: 'GET',
        url: '/api/status?x=1',
        status: 200,
        ms: expect.any(Number),
      }),
    ]);
  });

  test('has no secrets of a query, in the field and in the message', async () => {
    const { app, lines } = setUp();
    await request(app).get('/nowhere?Token=s3cret&page=2');
    expect(lines()[0]).toMatchObject({
      url: '/nowhere?Token=[Redacted]&page=2',
      msg: expect.stringMatching(/^GET \/nowhere\?Token=\[Redacted\]&page=2 404 /),
    });
    const own = setUp({ LOG_REDACTED_QUERY: 'page' });
    await request(own.app).get('/nowhere?token=x&page=s3cret');
    expect(own.lines()[0]).toMatchObject({ url: expect.stringMatching(/&page=\[Redacted\]$/) });
    expect(JSON.stringify([...lines(), ...own.lines()])).not.toContain('s3cret');
  });

  test('never holds credentials', async () => {
    const { app, lines } = setUp();
    await request(app).get('/nowhere').set('Authorization', 'Bearer s3cret').set('Cookie', 'sid=s3cret');
    expect(JSON.stringify(lines())).not.toContain('s3cret');
  });
});

test('every answer has security headers and no X-Powered-By', async () => {
  const { headers } = await request(setUp().app).get('/nowhere');
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
  });
  expect(headers).toHaveProperty('content-security-policy');
  expect(headers).toHaveProperty('strict-transport-security');
  expect(headers).not.toHaveProperty('x-powered-by');
});

test('TRUST_PROXY decides which proxies are trusted', () => {
  const trusting = setUp({ TRUST_PROXY: 'loopback' }).app.get('trust proxy fn') as (
    address: string,
    hop: number,
  ) => boolean;
  const wary = setUp().app.get('trust proxy fn') as typeof trusting;
  expect([trusting('127.0.0.1', 0), trusting('10.0.0.1', 0), wary('127.0.0.1', 0)]).toEqual([
    true,
    false,
    false,
  ]);
});
