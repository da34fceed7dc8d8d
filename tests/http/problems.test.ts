/** What a client sees of an error, with the fast path and without. */
import type { Server } from 'node:http';
import request, { type Response as Answer } from 'supertest';
import type { RequestHandler } from 'express';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { Problem } from '../../src/http/problems.js';
import { createLogger } from '../../src/utils/logger.js';
import { createServer } from '../../src/worker/server.js';

interface Setup {
  readonly server: Server;
  readonly lines: readonly Record<string, unknown>[];
}

/** The service with a handler at `/`. */
function serving(tuning: string, handler: RequestHandler, env: Readonly<Record<string, string>> = {}): Setup {
  const config = readConfig({ EXPRESS_TUNING: tuning, ...env });
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const logger = createLogger({ env: 'production', output: { write, writeSoon: write } });
  const feature = {
    path: '/',
    routes: (router: { all(path: string, handler: RequestHandler): void }) => router.all('/', handler),
  };
  const app = createApp({ config, logger, readiness: () => 'ready', features: [feature] });
  return { server: createServer(app, config), lines };
}

const thrower =
  (error: unknown): RequestHandler =>
  () => {
    throw error;
  };

const failing = (status: number, more: object = {}, message = 'internal: 10.0.0.7?api_key=s3cret'): Error =>
  Object.assign(new Error(message), { status, ...more });

/** As `http-errors` makes them, and with it Express and its parsers. */
const createError = (status: number, message: string): Error =>
  Object.assign(new Error(message), { expose: status < 500, status, statusCode: status });

const hostile = (traps: object): object =>
  new Proxy(new Error('x'), {
    get: () => {
      throw new Error('no');
    },
    ...traps,
  });
const { proxy: revoked, revoke } = Proxy.revocable(new Error('x'), {});
revoke();

describe.each(['on', 'off'])('EXPRESS_TUNING=%s', tuning => {
  const ask = async (error: unknown, env = {}): Promise<Answer> =>
    request(serving(tuning, thrower(error), env).server).get('/');

  test.each<[string, unknown, number, string, string | undefined]>([
    ['a 4xx error that says nothing of its message', failing(404), 404, 'Not Found', undefined],
    ['one that hides it', failing(403, { expose: false }), 403, 'Forbidden', undefined],
    ['one whose expose is not true', failing(400, { expose: 'yes' }), 400, 'Bad Request', undefined],
    ['one that shows it', failing(400, { expose: true }, 'no name'), 400, 'Bad Request', 'no name'],
    [
      'statusCode in place of status',
      Object.assign(new Error('a'), { statusCode: 409 }),
      409,
      'Conflict',
      undefined,
    ],
    ['an error of http-errors', createError(409, 'taken'), 409, 'Conflict', 'taken'],
    ['a 5xx error of http-errors', createError(503, 'db at 10.0.0.7'), 503, 'Service Unavailable', undefined],
    ['a problem', new Problem(410, 'gone for good'), 410, 'Gone', 'gone for good'],
    ['an unknown 4xx', failing(499), 499, 'Unknown error', undefined],
    ['no status', new Error('x'), 500, 'Internal Server Error', undefined],
    ['a status that is none', failing(99), 500, 'Internal Server Error', undefined],
    ['a text', 'a text', 500, 'Internal Server Error', undefined],
    ['a symbol', Symbol('x'), 500, 'Internal Server Error', undefined],
    ['a function', () => 1, 500, 'Internal Server Error', undefined],
    ['a frozen error', Object.freeze(new Error('x')), 500, 'Internal Server Error', undefined],
    ['a frozen 4xx error', Object.freeze(failing(404)), 404, 'Not Found', undefined],
    ['an error that cannot be read', hostile({}), 500, 'Internal Server Error', undefined],
    ['a revoked proxy', revoked, 500, 'Internal Server Error', undefined],
    ['a message that is no text', failing(400, { expose: true, message: 5n }), 400, 'Bad Request', undefined],
  ])('%s', async (_name, error, status, title, detail) => {
    const answer = await ask(error);
    const requestId = answer.headers['x-request-id'] as string;
    expect([answer.status, answer.headers['content-type']]).toEqual([
      status,
      'application/problem+json; charset=utf-8',
    ]);
    expect(answer.body).toEqual({
      type: 'about:blank',
      title,
      status,
      requestId,
      ...(detail === undefined ? {} : { detail }),
    });
  });

  test('a rejection without a reason is a 500, and has a line', async () => {
    const { server, lines } = serving(tuning, async () => Promise.reject());
    expect((await request(server).get('/')).status).toBe(500);
    expect(lines[0]).toMatchObject({
      level: 50,
      msg: 'Request failed',
      err: { message: expect.any(String) },
    });
  });

  test('an error is logged without its secrets, and with all else', async () => {
    const error = failing(500, { config: { headers: { Authorization: 'Bearer s3cret' } }, code: 'EFAR' });
    const { server, lines } = serving(tuning, thrower(error));
    await request(server).get('/');
    expect(lines[0]).toMatchObject({
      msg: 'Request failed',
      err: {
        code: 'EFAR',
        config: { headers: { Authorization: '[Redacted]' } },
        stack: expect.stringContaining('problems.test'),
      },
    });
    expect(JSON.stringify(lines)).not.toContain('s3cret');
  });

  test('headers of the answer that was meant to be given are gone, all others stay', async () => {
    const { server } = serving(tuning, (_request, response) => {
      response.statusMessage = 'Fine';
      response.set({
        'Content-Encoding': 'gzip',
        'Content-Language': 'de',
        'Content-Disposition': 'attachment',
        'Content-Length': '9999',
        'Content-Type': 'image/png',
        'Content-Range': 'bytes 0-1/2',
        'Transfer-Encoding': 'chunked',
        Trailer: 'X-Sum',
        'Accept-Ranges': 'bytes',
        'Cache-Control': 'public, max-age=3600',
        Expires: 'Thu, 26 Nov 2026 00:00:00 GMT',
        ETag: '"a"',
        'Last-Modified': 'Thu, 26 Nov 2026 00:00:00 GMT',
        'X-Own': 'stays',
        Vary: 'Accept',
      });
      throw new Error('x');
    });
    const answer = await request(server).get('/');
    expect(answer.status).toBe(500);
    expect((answer as unknown as { res: { statusMessage: string } }).res.statusMessage).toBe(
      'Internal Server Error',
    );
    expect(answer.body).toMatchObject({ status: 500 });
    expect(answer.headers).toMatchObject({
      'x-own': 'stays',
      vary: 'Accept',
      'cache-control': 'no-store',
      'content-type': 'application/problem+json; charset=utf-8',
      'content-length': String(Buffer.byteLength(answer.text)),
    });
    for (const name of [
      'content-encoding',
      'content-language',
      'content-disposition',
      'content-range',
      'transfer-encoding',
      'trailer',
      'accept-ranges',
      'expires',
      'etag',
      'last-modified',
    ])
      expect(answer.headers).not.toHaveProperty([name]);
  });

  test.each<[string, unknown, object]>([
    ['Retry-After', { 'Retry-After': 30 }, { 'retry-after': '30' }],
    ['Content-Range', { 'Content-Range': 'bytes */10' }, { 'content-range': 'bytes */10' }],
    ['lists', { Allow: ['GET', 'HEAD'] }, { allow: 'GET, HEAD' }],
    ['Cache-Control', { 'Cache-Control': 'max-age=5' }, { 'cache-control': 'max-age=5' }],
    ['beside invalid names', { 'a b': 'x', 'Retry-After': '1' }, { 'retry-after': '1' }],
    [
      'beside invalid values',
      { A: 'x\r\nSet-Cookie: a=b', B: undefined, C: {}, D: null, 'Retry-After': '1' },
      { 'retry-after': '1' },
    ],
    [
      'beside those of a body',
      {
        'Content-Length': '1',
        'Content-Type': 'a/b',
        'Content-Encoding': 'br',
        'Transfer-Encoding': 'chunked',
        Connection: 'upgrade',
        'Retry-After': '1',
      },
      { 'retry-after': '1' },
    ],
    [
      "beside what is another service's",
      { 'Set-Cookie': 'a=b', 'X-Request-Id': 'theirs', 'Retry-After': '1' },
      { 'retry-after': '1' },
    ],
    ['of a kind that has none', 'text', {}],
    ['of null', null, {}],
    ['that cannot be read', hostile({ ownKeys: undefined }), {}],
  ])('headers of the error are kept: %s', async (_name, headers, kept) => {
    const answer = await ask(failing(429, { headers }));
    expect(answer.status).toBe(429);
    expect(answer.body).toMatchObject({ status: 429, requestId: answer.headers['x-request-id'] });
    expect(answer.headers).toMatchObject(kept);
    for (const name of ['a', 'b', 'c', 'd', 'set-cookie', 'content-encoding', 'transfer-encoding'])
      expect(answer.headers).not.toHaveProperty([name]);
    expect(answer.headers['x-request-id']).not.toBe('theirs');
  });

  test('headers of an error without a status are not: it does not know of answers', async () => {
    const answer = await ask(Object.assign(new Error('x'), { headers: { 'X-Upstream': 'a' } }));
    expect(answer.headers).not.toHaveProperty('x-upstream');
  });

  test('an answer that has begun is cut, and any error logged once', async () => {
    const errorLog = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const { server, lines } = serving(tuning, (_request, response, next) => {
      response.write('begun');
      next(hostile({}));
    });
    await expect(request(server).get('/')).rejects.toThrow('aborted');
    expect(lines.filter(({ msg }) => msg === 'Request failed')).toHaveLength(1);
    expect(errorLog).not.toHaveBeenCalled();
    errorLog.mockRestore();
  });

  test('an answer that is complete stays, and the error is logged', async () => {
    const { server, lines } = serving(tuning, (_request, response) => {
      response.json({ done: true });
      throw failing(404);
    });
    expect((await request(server).get('/')).body).toEqual({ done: true });
    expect(lines.filter(({ msg }) => msg === 'Request failed')).toHaveLength(1);
  });

  test('a range that cannot be satisfied says which there is', async () => {
    const { server } = serving(tuning, (_request, response) => response.sendFile(__filename));
    const answer = await request(server).get('/').set('Range', 'bytes=99999999-');
    expect(answer.status).toBe(416);
    expect(answer.headers['content-range']).toMatch(/^bytes \*\/\d+$/);
    expect(answer.headers).not.toHaveProperty('etag');
  });

  test.each(['production', 'development', 'test'])(
    'Express and the service agree on the environment: %s',
    async env => {
      let seen: unknown[] = [];
      const { server } = serving(
        tuning,
        ({ app }, response) => {
          seen = [app.get('env'), app.enabled('view cache')];
          response.end();
        },
        { NODE_ENV: env },
      );
      await request(server).get('/');
      expect(seen).toEqual([env, env === 'production']);
    },
  );

  test('in development there are message and stack, also of what is no error', async () => {
    const answer = await ask('a text', { NODE_ENV: 'development' });
    expect(answer.body).toMatchObject({ status: 500, detail: 'a text', stack: 'a text' });
    const hidden = await ask(failing(404, {}, 'why'), { NODE_ENV: 'development' });
    expect(hidden.body).toMatchObject({ status: 404, detail: 'why' });
  });
});
