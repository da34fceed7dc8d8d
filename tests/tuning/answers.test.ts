/** The fast ways give the same answers as Express by itself, and are still there in this Express and this Node. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type RequestHandler, type Response } from 'express';
import { answerQuickly } from '../../src/tuning/quick-answers.js';
import { createFittedServer } from '../../src/tuning/fitted-server.js';
import { canStand, setOneByOne, standOn, type Stand } from '../../src/tuning/standing-headers.js';

const HEADERS = { 'X-Frame-Options': 'DENY', 'Referrer-Policy': 'no-referrer' };

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** One way to serve: how an app is prepared, and the server around it. */
interface Way {
  readonly prepare: (app: Express) => Stand;
  readonly serve: (app: Express) => http.Server;
}

const usual: Way = {
  prepare: () => setOneByOne(HEADERS),
  serve: app => http.createServer(app),
};

function prepareFast(app: Express): Stand {
  answerQuickly(app);
  return standOn(app, HEADERS);
}

const fast: Way = { prepare: prepareFast, serve: app => http.createServer(app) };
const fitted: Way = { prepare: prepareFast, serve: createFittedServer };

function build({ prepare }: Way, routes: (app: Express) => void): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const stand = prepare(app);
  app.use((_request, response, next) => {
    stand(response, 'the-id');
    next();
  });
  routes(app);
  app.use(((error: Error, _request, response, _next) =>
    response.status(500).json({ error: error.message })) as express.ErrorRequestHandler);
  return app;
}

async function ask(
  way: Way,
  routes: (app: Express) => void,
  request: { readonly method?: string; readonly headers?: http.OutgoingHttpHeaders } = {},
): Promise<Answer> {
  const server = way.serve(build(way, routes));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise((resolve, reject) => {
      http
        .request({ port, host: '127.0.0.1', path: '/', agent: false, ...request }, response => {
          let body = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
          response.on('end', () => {
            const { date: _date, ...headers } = response.headers;
            resolve({ status: response.statusCode ?? 0, headers, body });
          });
        })
        .on('error', reject)
        .end();
    });
  } finally {
    server.close();
  }
}

const handler =
  (handle: RequestHandler) =>
  (app: Express): void =>
    void app.all('/', handle);

const CASES: readonly (readonly [string, (app: Express) => void, Parameters<typeof ask>[2]?])[] = [
  ['res.json of an object', handler((_q, r) => void r.json({ a: 1 }))],
  ['res.json beyond ASCII', handler((_q, r) => void r.json({ text: 'Grüße, 世界, 🙂' }))],
  ['res.json of null', handler((_q, r) => void r.json(null))],
  ['res.json of undefined', handler((_q, r) => void r.json(undefined))],
  ['res.json of a text', handler((_q, r) => void r.json('text'))],
  ['res.status and res.json', handler((_q, r) => void r.status(201).json({ made: true }))],
  ['an answer without a body, 204', handler((_q, r) => void r.status(204).json({ a: 1 }))],
  ['an answer without a body, 205', handler((_q, r) => void r.status(205).json({ a: 1 }))],
  ['a content type of its own', handler((_q, r) => void r.type('application/problem+json').json({ a: 1 }))],
  ['res.send of a text', handler((_q, r) => void r.send('<b>text</b>'))],
  ['res.send of a text with umlauts', handler((_q, r) => void r.send('Grüße'))],
  ['res.send of nothing', handler((_q, r) => void r.send())],
  ['res.send of an empty text', handler((_q, r) => void r.send(''))],
  ['res.send of an object', handler((_q, r) => void r.send({ a: 1 }))],
  ['res.send of a buffer', handler((_q, r) => void r.send(Buffer.from('bytes')))],
  ['res.send with a type', handler((_q, r) => void r.type('txt').send('plain'))],
  ['res.sendStatus', handler((_q, r) => void r.sendStatus(403))],
  ['res.redirect', handler((_q, r) => r.redirect('/there'))],
  ['res.end with a text', handler((_q, r) => void r.end('text'))],
  ['res.write in pieces', handler((_q, r) => (r.write('a'), void r.end('b')))],
  ['res.writeHead with an object', handler((_q, r) => void r.writeHead(200, { 'X-Own': '1' }).end('x'))],
  ['res.writeHead with a flat list', handler((_q, r) => void r.writeHead(200, ['X-Own', '1']).end('x'))],
  [
    'res.writeHead over a standing header',
    handler((_q, r) => void r.writeHead(200, { 'x-frame-options': 'SAMEORIGIN' }).end('x')),
  ],
  ['a header of its own', handler((_q, r) => void r.set('Cache-Control', 'no-store').json({}))],
  ['an overridden standing header', handler((_q, r) => void r.set('X-Frame-Options', 'SAMEORIGIN').json({}))],
  ['an overridden request id', handler((_q, r) => void r.set('X-Request-Id', 'other').json({}))],
  ['a removed standing header', handler((_q, r) => (r.removeHeader('X-Frame-Options'), void r.json({})))],
  [
    'a removed and set header',
    handler((_q, r) => (r.removeHeader('Referrer-Policy'), void r.set('Referrer-Policy', 'origin').json({}))),
  ],
  ['cookies', handler((_q, r) => void r.cookie('a', '1').cookie('b', '2').json({}))],
  ['HEAD', handler((_q, r) => void r.json({ a: 1 })), { method: 'HEAD' }],
  ['HEAD of a text', handler((_q, r) => void r.send('text')), { method: 'HEAD' }],
  ['If-None-Match: *', handler((_q, r) => void r.json({ a: 1 })), { headers: { 'If-None-Match': '*' } }],
  [
    'an ETag of its own, matched',
    handler((_q, r) => void r.set('ETag', '"1"').json({ a: 1 })),
    { headers: { 'If-None-Match': '"1"' } },
  ],
  [
    'Last-Modified, matched',
    handler((_q, r) => void r.set('Last-Modified', 'Tue, 24 Nov 2026 00:00:00 GMT').send('x')),
    { headers: { 'If-Modified-Since': 'Tue, 24 Nov 2026 00:00:00 GMT' } },
  ],
  [
    'JSON settings',
    app => {
      app.set('json spaces', 2).set('json escape', true);
      handler((_q, r) => void r.json({ a: '<' }))(app);
    },
  ],
  [
    'ETags on',
    app => {
      app.enable('etag');
      handler((_q, r) => void r.json({ a: 1 }))(app);
    },
  ],
  [
    'an error that is thrown',
    handler(() => {
      throw new Error('thrown');
    }),
  ],
  ['an async handler that fails', handler(async () => Promise.reject(new Error('rejected')))],
  ['an unknown route', () => undefined],
  [
    'a router',
    app =>
      void app.use(
        '/',
        express.Router().get('/', (_q, r) => void r.json({ routed: true })),
      ),
  ],
  [
    'a mounted app',
    app => {
      const inner = express();
      inner.get('/', (_q, r) => void r.json({ inner: true }));
      app.use('/', inner);
    },
  ],
  [
    'what handlers can read',
    handler(
      (_q, r) =>
        void r.json([
          r.getHeader('x-frame-options'),
          r.hasHeader('X-Request-Id'),
          r.get('Referrer-Policy'),
          r.hasHeader('X-None'),
          r.getHeaderNames().toSorted(),
          Object.keys(r.getHeaders()).toSorted(),
        ]),
    ),
  ],
];

describe.each([
  ['fast', fast],
  ['fast and fitted', fitted],
])('%s answers as Express does', (_name, way) => {
  test.each(CASES.map(([title, routes, request]) => ({ title, routes, request })))(
    '$title',
    async ({ routes, request }) => {
      expect(await ask(way, routes, request)).toEqual(await ask(usual, routes, request));
    },
  );

  test.each(['json', 'send'] as const)('a second answer by res.%s is refused', async method => {
    const codes: unknown[] = [];
    const routes = handler((_q, response) => {
      response[method]('first');
      try {
        response[method]('second');
      } catch (error) {
        codes.push((error as NodeJS.ErrnoException).code);
      }
    });
    const [first] = [await ask(way, routes), await ask(usual, routes)];
    expect(first.body).toContain('first');
    expect(codes).toEqual(['ERR_HTTP_HEADERS_SENT', 'ERR_HTTP_HEADERS_SENT']);
  });

  test('headers of an answer that has been given can be read', async () => {
    const seen: unknown[] = [];
    const routes = handler((_q, response) => {
      response.on('finish', () =>
        seen.push(response.getHeader('content-length'), response.get('Content-Type')),
      );
      response.json({ a: 1 });
    });
    await ask(way, routes);
    await ask(usual, routes);
    expect(seen).toEqual(['7', 'application/json; charset=utf-8', '7', 'application/json; charset=utf-8']);
  });
});

describe('the fast ways are not lost', () => {
  test('this Node makes heads in the way that standing headers rest on', async () => {
    expect(canStand).toBe(true);
    const setNames: string[] = [];
    const routes = handler((_q, response: Response) => {
      const { setHeader } = response;
      response.setHeader = (name, value) => (setNames.push(name), setHeader.call(response, name, value));
      response.json({});
    });
    const { headers } = await ask(fast, routes);
    expect(headers).toMatchObject({
      'x-frame-options': 'DENY',
      'content-type': 'application/json; charset=utf-8',
    });
    expect(setNames).toEqual([]);
  });

  test('Express finds requests and responses that have its prototypes already', () => {
    const app = build(
      fitted,
      handler((_q, r) => void r.json({})),
    );
    const server = createFittedServer(app) as unknown as Record<symbol, { prototype: object }>;
    const made = Object.getOwnPropertySymbols(server)
      .filter(symbol => /ServerResponse|IncomingMessage/.test(String(symbol)))
      .map(symbol => server[symbol]?.prototype);
    expect(made).toHaveLength(2);
    expect(made).toEqual(expect.arrayContaining([app.response, app.request]));
  });
});
