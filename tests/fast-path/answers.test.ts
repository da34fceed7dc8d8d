/**
 * What Express documents, with the fast ways and without: each case is asked of the real app with a route of its own,
 * and both must say the same, byte for byte. Where a third part is given, it must be in the answer: the contract.
 */
import { createReadStream } from 'node:fs';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import express, { type Express, type RequestHandler, type Response } from 'express';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { createLogger } from '../../src/utils/logger.js';
import { createServer } from '../../src/worker/server.js';
import { converse, sorted, type Ask } from './conversation.js';

type Routes = (app: Express) => void;

/** The real app with these routes in front of its 404, and the real server around it. */
function serve(routes: Routes, expressTuning: boolean, isFitted = expressTuning): Server {
  const config = { ...readConfig({}), expressTuning };
  const app = createApp({
    config,
    logger: createLogger({
      env: 'production',
      output: { write: () => undefined, writeSoon: () => undefined },
    }),
    readiness: () => 'ready',
  });
  const { stack } = app.router as unknown as { stack: unknown[] };
  const end = stack.splice(-2);
  routes(app);
  stack.push(...end);
  return createServer(app, { ...config, expressTuning: isFitted });
}

const WAYS = {
  'Express as it comes': (routes: Routes) => serve(routes, false),
  'the fast ways': (routes: Routes) => serve(routes, true, false),
  'the fast ways on a fitted server': (routes: Routes) => serve(routes, true),
};

/** A route that answers so. */
const so = (answer: (response: Response) => unknown): Routes => on((_request, response) => answer(response));

/** A route with this handler. */
const on =
  (...handlers: ((...args: Parameters<RequestHandler>) => unknown)[]): Routes =>
  app =>
    void app.all('/', ...(handlers as RequestHandler[]));

/** Settings, and then a route. */
const set =
  (settings: Readonly<Record<string, unknown>>, routes: Routes): Routes =>
  app => {
    for (const [name, value] of Object.entries(settings)) app.set(name, value);
    routes(app);
  };

/** A middleware that puts its own in the place of a method of the answer, and then a route. */
const wrapped = (wrap: (response: Response) => void, routes: Routes): Routes => {
  return app => {
    app.use((_request, response, next) => {
      wrap(response);
      next();
    });
    routes(app);
  };
};

/** Express' types have no `getRawHeaderNames`. */
const rawNames = (response: Response): string[] =>
  (response as unknown as { getRawHeaderNames(): string[] }).getRawHeaderNames();

/** A middleware that does something when the head is made, as `on-headers` has it. */
function atHead(response: Response, change: (response: Response) => unknown): void {
  const { writeHead } = response;
  response.writeHead = (...[, ...more]: unknown[]) => {
    change(response);
    return (writeHead as (...args: unknown[]) => Response).call(response, response.statusCode, ...more);
  };
}

/** As `compression` and `express-session` do: the head is made before the text is given. */
function headFirst(response: Response): void {
  const { end } = response;
  response.end = (...args: unknown[]) => {
    response.writeHead(response.statusCode);
    return (end as (...args: unknown[]) => Response).apply(response, args);
  };
}

const OLD = {
  'HTTP/1.0': { version: '1.0' },
  kept: { version: '1.0', headers: { Connection: 'keep-alive' } },
} as const;
const MODIFIED = 'Tue, 24 Nov 2026 00:00:00 GMT';
const file = __filename;
const here = { root: dirname(file) };
const JSON_TYPE = 'Content-Type: application/json; charset=utf-8\r\n';
const HTML_TYPE = 'Content-Type: text/html; charset=utf-8\r\n';
const CSP = 'Content-Security-Policy';

type Parts = readonly (string | RegExp)[];

const CASES: readonly (readonly [title: string, routes: Routes, ask?: Ask, parts?: Parts])[] = [
  // Bodies
  [
    'json of an object',
    so(r => r.json({ a: 1 })),
    {},
    [JSON_TYPE, 'Content-Length: 7\r\n', '\r\n\r\n{"a":1}HTTP'],
  ],
  ['json beyond ASCII', so(r => r.json({ text: 'Grüße, 世界, 🙂' })), {}, ['Content-Length: 32\r\n']],
  [
    'json beyond ASCII, long',
    so(r => r.json({ text: '世界'.repeat(9_999) })),
    {},
    [/Content-Length: 60005\r\n/],
  ],
  ['json of null', so(r => r.json(null)), {}, ['\r\n\r\nnullHTTP']],
  ['json of undefined', so(r => r.json(undefined)), {}, [JSON_TYPE]],
  ['json of a text', so(r => r.json('text')), {}, ['\r\n\r\n"text"HTTP']],
  ['json of what has a toJSON', so(r => r.json(new Date(0))), {}, ['"1970-01-01T00:00:00.000Z"']],
  ['json of a circle', so(r => r.json(r.req.res)), {}, [' 500 ']],
  ['status and json', so(r => r.status(201).json({ made: true })), {}, ['HTTP/1.1 201 Created\r\n']],
  ['a status message', so(r => ((r.statusMessage = 'Fine'), r.json({}))), {}, ['HTTP/1.1 200 Fine\r\n']],
  ['send of a text', so(r => r.send('<b>text</b>')), {}, [HTML_TYPE]],
  ['send of a text with umlauts', so(r => r.send('Grüße')), {}, ['Content-Length: 7\r\n']],
  ['send of a long text', so(r => r.send('x'.repeat(100_000))), {}, ['Content-Length: 100000\r\n']],
  ['send of half a character', so(r => r.send('\ud800')), {}, ['Content-Length: 3\r\n']],
  ['send of nothing', so(r => r.send()), {}, ['Content-Length: 0\r\n']],
  ['send of null', so(r => r.send(null)), {}, ['Content-Length: 0\r\n']],
  ['send of an empty text', so(r => r.send('')), {}, [HTML_TYPE, 'Content-Length: 0\r\n']],
  ['send of an object', so(r => r.send({ a: 1 })), {}, [JSON_TYPE]],
  ['send of a number', so(r => r.send(404)), {}, [' 200 ', JSON_TYPE, '\r\n\r\n404HTTP']],
  ['send of true', so(r => r.send(true)), {}, [JSON_TYPE, '\r\n\r\ntrueHTTP']],
  [
    'send of a buffer',
    so(r => r.send(Buffer.from('bytes'))),
    {},
    ['Content-Type: application/octet-stream\r\n'],
  ],
  ['send of bytes', so(r => r.type('png').send(new Uint8Array([1, 2]))), {}, ['Content-Type: image/png\r\n']],
  ['sendStatus', so(r => r.sendStatus(403)), {}, [' 403 ', 'text/plain', '\r\n\r\nForbiddenHTTP']],
  ...[204, 205, 304].map(
    code => [`no body with ${code}`, so(r => r.status(code).json({ a: 1 })), {}, [/\r\n\r\nHTTP/]] as const,
  ),
  ['end with a text', so(r => r.end('text')), {}, ['Content-Length: 4\r\n']],
  ['write in pieces', so(r => (r.write('a'), r.end('b'))), {}, ['Transfer-Encoding: chunked\r\n']],
  ['a stream', so(r => Readable.from(['a', 'b']).pipe(r)), {}, ['Transfer-Encoding: chunked\r\n']],
  ['a file as a stream', so(r => createReadStream(file).pipe(r.type('txt'))), {}, ['CASES']],
  ['two answers', so(r => (r.json(1), r.json(2))), {}, ['\r\n\r\n1HTTP']],
  ...(['json', 'send'] as const).flatMap(
    method =>
      [
        [
          `${method} after an answer`,
          so(r => {
            r.json(1);
            try {
              r[method]('2');
            } catch (error) {
              seen = (error as NodeJS.ErrnoException).code;
            }
          }),
        ],
        [`why ${method} was refused`, so(r => r.json(seen)), {}, ['"ERR_HTTP_HEADERS_SENT"']],
      ] as const,
  ),

  // Content types and charsets
  [
    'a type of its own',
    so(r => r.type('application/problem+json').json({})),
    {},
    ['application/problem+json'],
  ],
  ['send with a type', so(r => r.type('txt').send('plain')), {}, ['text/plain; charset=utf-8']],
  [
    'an own charset',
    so(r => r.set('Content-Type', 'text/plain; charset=latin1').send('ä')),
    {},
    ['charset=utf-8'],
  ],
  [
    'get and type',
    so(r => r.json([r.type('html').get('Content-Type'), r.get('x-FRAME-options')])),
    {},
    ['"DENY"'],
  ],
  ['attachment', so(r => r.attachment('Grüße.txt').send('x')), {}, ["filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt"]],
  [
    'format',
    so(r => r.format({ text: () => r.send('text'), json: () => r.json({ a: 1 }) })),
    { headers: { Accept: 'application/json' } },
    [JSON_TYPE, 'Vary: Accept\r\n'],
  ],
  [
    'format, refused',
    so(r => r.format({ text: () => r.send('') })),
    { headers: { Accept: 'a/b' } },
    [' 406 '],
  ],

  // JSON settings
  [
    'json spaces',
    set(
      { 'json spaces': 2 },
      so(r => r.json({ a: 1 })),
    ),
    {},
    ['{\n  "a": 1\n}'],
  ],
  [
    'json escape',
    set(
      { 'json escape': true },
      so(r => r.json('<&>')),
    ),
    {},
    ['"\\u003c\\u0026\\u003e"'],
  ],
  [
    'json replacer',
    set(
      { 'json replacer': (key: string, value: unknown) => (key === 'b' ? undefined : value) },
      so(r => r.json({ a: 1, b: 2 })),
    ),
    {},
    ['\r\n\r\n{"a":1}HTTP'],
  ],
  ['jsonp', so(r => r.jsonp({ a: 1 })), { path: '/?callback=call' }, ['text/javascript', `call({"a":1});`]],
  ['jsonp without a callback', so(r => r.jsonp({ a: 1 })), {}, [JSON_TYPE, '\r\n\r\n{"a":1}HTTP']],

  // ETags and conditional requests
  [
    'a weak tag',
    set(
      { etag: 'weak' },
      so(r => r.json({})),
    ),
    {},
    [/ETag: W\/".+"\r\n/],
  ],
  [
    'a strong tag',
    set(
      { etag: 'strong' },
      so(r => r.send('x')),
    ),
    {},
    [/ETag: "[^"]+"\r\n/],
  ],
  [
    'a tag of its own making',
    set(
      { etag: () => '"own"' },
      so(r => r.json({})),
    ),
    {},
    ['ETag: "own"\r\n'],
  ],
  [
    'a tag that matches',
    set(
      { etag: () => '"own"' },
      so(r => r.json({})),
    ),
    { headers: { 'If-None-Match': '"own"' } },
    [' 304 ', /\r\n\r\nHTTP/],
  ],
  [
    'a tag and HEAD',
    set(
      { etag: 'weak' },
      so(r => r.json({})),
    ),
    { method: 'HEAD' },
    [/ETag: W/, /\r\n\r\nHTTP/],
  ],
  ['If-None-Match: *', so(r => r.json({ a: 1 })), { headers: { 'If-None-Match': '*' } }, [' 304 ']],
  [
    'a tag set by hand, matched',
    so(r => r.set('ETag', '"1"').json({})),
    { headers: { 'If-None-Match': '"1"' } },
    [' 304 '],
  ],
  [
    'Last-Modified, matched',
    so(r => r.set('Last-Modified', MODIFIED).send('x')),
    { headers: { 'If-Modified-Since': MODIFIED } },
    [' 304 '],
  ],
  ['HEAD of json', so(r => r.json({ a: 1 })), { method: 'HEAD' }, ['Content-Length: 7\r\n', /\r\n\r\nHTTP/]],
  ['HEAD of a text', so(r => r.send('text')), { method: 'HEAD' }, ['Content-Length: 4\r\n', /\r\n\r\nHTTP/]],

  // HTTP/1.0
  ...Object.entries(OLD).flatMap(([name, ask]) => [
    [`json, ${name}`, so(r => r.json({ a: 1 })), ask, ['Content-Length: 7\r\n']] as const,
    [`send, ${name}`, so(r => r.send('text')), ask, ['Content-Length: 4\r\n']] as const,
    [
      `json and a header, ${name}`,
      so(r => r.set('X-Own', '1').json({})),
      ask,
      ['Content-Length: 2\r\n'],
    ] as const,
    [`pieces, ${name}`, so(r => (r.write('a'), r.end('b'))), ask, ['Connection: close\r\n']] as const,
  ]),
  ['Connection: close', so(r => r.json({})), { headers: { Connection: 'close' } }, ['Connection: close\r\n']],

  // Headers
  [
    'set',
    so(r => r.set({ 'Cache-Control': 'no-store', 'X-A': 'b' }).json({})),
    {},
    ['Cache-Control: no-store\r\n'],
  ],
  [
    'a standing header overridden',
    so(r => r.set('X-Frame-Options', 'SAMEORIGIN').json({})),
    {},
    ['X-Frame-Options: SAMEORIGIN\r\n'],
  ],
  [
    'the request id overridden',
    so(r => r.set('X-Request-Id', 'other').json({})),
    {},
    ['X-Request-Id: other\r\n'],
  ],
  ['a standing header removed', so(r => (r.removeHeader('X-Frame-Options'), r.json({})))],
  ['removed and set', so(r => (r.removeHeader(CSP), r.set(CSP, 'x').json({}))), {}, [`${CSP}: x\r\n`]],
  ['removed that never was', so(r => (r.removeHeader('X-None'), r.json({})))],
  [
    'Content-Length removed before',
    so(r => (r.removeHeader('Content-Length'), r.json({}))),
    {},
    ['Content-Length: 2\r\n'],
  ],
  [
    'Transfer-Encoding set',
    so(r => r.set('Transfer-Encoding', 'chunked').json({})),
    {},
    ['\r\n2\r\n{}\r\n0\r\n'],
  ],
  [
    'a wrong Content-Length set',
    so(r => r.set('Content-Length', '9').json({})),
    {},
    ['Content-Length: 2\r\n'],
  ],
  ['append', so(r => r.append(CSP, "img-src 'self'").json({})), {}, [`none'\r\n${CSP}: img-src 'self'\r\n`]],
  [
    'appendHeader',
    so(r => r.appendHeader(CSP, "img-src 'self'").end('x')),
    {},
    [`none'\r\n${CSP}: img-src 'self'\r\n`],
  ],
  [
    'appendHeader of its own',
    so(r => r.appendHeader('X-A', '1').appendHeader('X-A', ['2']).json({})),
    {},
    ['X-A: 1\r\nX-A: 2\r\n'],
  ],
  ['vary', so(r => r.vary('Accept').vary('Origin').json({})), {}, ['Vary: Accept, Origin\r\n']],
  [
    'links, location',
    so(r => r.links({ next: '/2' }).location('/1').json({})),
    {},
    ['Link: </2>; rel="next"\r\n'],
  ],
  ['cookies', so(r => r.cookie('a', '1').clearCookie('b').json({})), {}, ['Set-Cookie: a=1; Path=/\r\n']],
  [
    'setHeaders',
    so(r =>
      r
        .setHeaders(
          new Map([
            ['X-Frame-Options', 'A'],
            ['x-b', 'B'],
          ]),
        )
        .json({}),
    ),
    {},
    ['X-Frame-Options: A\r\n'],
  ],
  [
    'a trailer',
    so(r => (r.set('Trailer', 'X-T').write('a'), r.addTrailers({ 'X-T': '1' }), r.end())),
    {},
    ['0\r\nX-T: 1\r\n'],
  ],
  ['no date', so(r => ((r.sendDate = false), r.json({})))],
  ['flushHeaders', so(r => (r.flushHeaders(), r.end('x'))), {}, ['Transfer-Encoding: chunked\r\n']],
  ['flushHeaders and json', so(r => (r.flushHeaders(), r.json({})))],
  [
    'early hints',
    so(r => r.writeEarlyHints({ link: '</a>; rel=preload' }, () => r.json({}))),
    {},
    ['HTTP/1.1 103 '],
  ],
  ['writeHead with an object', so(r => r.writeHead(200, { 'X-Own': '1' }).end('x')), {}, ['X-Own: 1\r\n']],
  [
    'writeHead with a list',
    so(r => r.writeHead(200, ['X-Own', '1', 'x-frame-options', 'A']).end('x')),
    {},
    ['X-Own: 1\r\n'],
  ],
  ['writeHead, one name twice', so(r => r.writeHead(200, ['Set-Cookie', 'a', 'Set-Cookie', 'b']).end('x'))],
  [
    'writeHead with a reason',
    so(r => r.writeHead(200, 'Fine', { 'X-Own': '1' }).end('x')),
    {},
    [' 200 Fine\r\n'],
  ],
  [
    'writeHead over a standing header',
    so(r => r.writeHead(200, { 'x-frame-options': 'A' }).end('x')),
    {},
    ['x-frame-options: A\r\n'],
  ],
  [
    'writeHead and what was set',
    so(r =>
      r
        .set('X-A', '1')
        .writeHead(200, { 'X-B': r.get('X-A') })
        .end('x'),
    ),
    {},
    ['X-B: 1\r\n'],
  ],
  [
    'what can be read',
    so(r =>
      r.json([
        r.getHeader('x-frame-options'),
        r.hasHeader('X-Request-Id'),
        r.hasHeader('X-None'),
        r.hasHeader('Content-Type'),
        r.getHeaderNames().toSorted(),
        rawNames(r).toSorted(),
        Object.entries(r.getHeaders()).map(String).toSorted(),
      ]),
    ),
    {},
    ['["DENY",true,false,false,'],
  ],
  [
    'what can be read of what was overridden',
    so(r =>
      r
        .set('x-FRAME-options', 'A')
        .json([r.getHeaderNames().toSorted(), rawNames(r).toSorted(), r.getHeaders()['x-frame-options']]),
    ),
    {},
    ['"x-FRAME-options"', '"A"]'],
  ],
  [
    'what can be read afterwards',
    so(r => {
      r.once('finish', () => {
        seen = [
          r.get('Content-Length'),
          r.get('Content-Type'),
          r.getHeaderNames().toSorted(),
          rawNames(r).length,
        ];
      });
      r.json({});
    }),
  ],
  ['what was read then', so(r => r.json(seen)), {}, ['["2","application/json; charset=utf-8",']],
  ...(['setHeader', 'appendHeader', 'removeHeader'] as const).map(
    change =>
      [
        `${change} when it is too late`,
        so(r => {
          r.write('a');
          try {
            r[change]('X-Frame-Options', 'A');
          } catch (error) {
            r.end((error as NodeJS.ErrnoException).code);
          }
        }),
        {},
        ['ERR_HTTP_HEADERS_SENT'],
      ] as const,
  ),

  // Middleware that wraps the answer
  [
    'the head before the text, json',
    wrapped(
      headFirst,
      so(r => r.json({ a: 1 })),
    ),
    {},
    ['Content-Length: 7\r\n'],
  ],
  [
    'the head before the text, send',
    wrapped(
      headFirst,
      so(r => r.send('ü')),
    ),
    {},
    ['Content-Length: 2\r\n'],
  ],
  [
    'the length seen and taken away at the head',
    wrapped(
      response => {
        headFirst(response);
        atHead(response, r => {
          r.setHeader('X-Seen', r.getHeader('Content-Length') ?? 'none');
          r.removeHeader('Content-Length');
        });
      },
      so(r => r.json({ a: 1 })),
    ),
    {},
    ['X-Seen: 7\r\n', 'Transfer-Encoding: chunked\r\n'],
  ],
  [
    'the length seen at the head alone',
    wrapped(
      response => atHead(response, r => r.setHeader('X-Seen', r.getHeader('Content-Length') ?? 'none')),
      so(r => r.json({ a: 1 })),
    ),
    {},
    ['X-Seen: 7\r\n', 'Content-Length: 7\r\n'],
  ],
  ...Object.entries({
    'takes the length away': r => r.removeHeader('Content-Length'),
    'takes every length away': r => (r.removeHeader('Content-Length'), r.removeHeader('Transfer-Encoding')),
    'gives another type': r => r.set('Content-Type', 'text/plain'),
    'closes the connection': r => r.set('Connection', 'close'),
    'expects more': r => r.set('Expect', '100-continue'),
  } satisfies Record<string, (response: Response) => unknown>).flatMap(([name, change]) =>
    ['a', 'ü'].map(
      text =>
        [
          `a head that ${name}, ${text}`,
          wrapped(
            r => atHead(r, change),
            so(r => r.json(text)),
          ),
        ] as const,
    ),
  ),
  [
    'a length that is strict',
    so(r => ((r.strictContentLength = true), r.json({ a: 1 }))),
    {},
    ['Content-Length: 7\r\n'],
  ],
  [
    'a status without a body, given late',
    wrapped(
      r => atHead(r, () => (r.statusCode = 204)),
      so(r => r.json({ a: 1 })),
    ),
  ],
  ['a status without a body of its own', so(r => r.status(101).json({ a: 1 }))],
  [
    'an answer behind one that takes longer',
    so(r => setTimeout(() => r.json('slow'), 20)),
    {},
    ['"slow"HTTP'],
  ],
  [
    'what an end wrapper is given',
    wrapped(
      response => {
        const { end } = response;
        response.end = function (this: Response, chunk: unknown, encoding: unknown) {
          this.setHeader(
            'X-Given',
            `${this.getHeader('Content-Length') as string} ${typeof chunk} ${String(encoding)}`,
          );
          return end.call(this, chunk, encoding as BufferEncoding);
        } as Response['end'];
      },
      so(r => r.json({ a: 1 })),
    ),
    {},
    ['X-Given: 7 string utf8\r\n'],
  ],
  [
    'an answer that an end wrapper holds back, and another',
    wrapped(
      response => {
        const { end } = response;
        response.end = function (this: Response) {
          delete (this as Partial<Response>).end;
          setImmediate(() => this.send('later'));
          return this;
        } as typeof end;
      },
      so(r => r.json({ a: 1 })),
    ),
    {},
    [JSON_TYPE, '\r\n\r\nlaterHTTP'],
  ],
  [
    'json through a wrapped send',
    wrapped(
      response => {
        const { send } = response;
        response.send = body => send.call(response, typeof body === 'string' ? `${body}\n` : body);
      },
      so(r => r.json({ a: 1 })),
    ),
    {},
    ['\r\n\r\n{"a":1}\nHTTP'],
  ],
  [
    'a wrapped setHeader',
    wrapped(
      response => {
        const { setHeader } = response;
        response.setHeader = (name, value) =>
          setHeader.call(response, name, name === 'Content-Type' ? 'application/json' : value);
      },
      so(r => r.json({ a: 1 })),
    ),
    {},
    ['Content-Type: application/json\r\n'],
  ],

  // Files
  ['sendFile', so(r => r.sendFile(file)), {}, ['Accept-Ranges: bytes\r\n', /ETag: W/]],
  [
    'sendFile of a part',
    so(r => r.sendFile(file)),
    { headers: { Range: 'bytes=0-2' } },
    [' 206 ', '\r\n\r\n/**HTTP'],
  ],
  ['sendFile of none', so(r => r.sendFile('none', here)), {}, [' 404 ']],
  ['download', so(r => r.download(file, 'a.ts')), {}, ['Content-Disposition: attachment; filename=a.ts\r\n']],
  [
    'static',
    app => app.use(express.static(here.root)),
    { path: '/answers.test.ts' },
    [' 200 ', 'Last-Modified: '],
  ],
  [
    'static and HEAD',
    app => app.use(express.static(here.root)),
    { path: '/answers.test.ts', method: 'HEAD' },
    [/\r\n\r\nHTTP/],
  ],

  // Routes
  ['redirect', so(r => r.redirect('/there')), {}, [' 302 ', 'Location: /there\r\n']],
  ['redirect with a status', so(r => r.redirect(301, 'https://x.test/ü')), {}, [' 301 ', '%C3%BC']],
  ['OPTIONS', app => app.get('/', (_q, r) => void r.json({})), { method: 'OPTIONS' }, [' 404 ']],
  [
    'a body',
    on((q, r) => r.json(q.body)),
    { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"ü":1}' },
    ['\r\n\r\n{"Ã¼":1}HTTP'],
  ],
  [
    'a parameter and a query',
    app => app.get('/:a', (q, r) => void r.json([q.params, q.query])),
    { path: '/x?b=1' },
    ['[{"a":"x"},{"b":"1"}]'],
  ],
  [
    'locals, ids',
    on(
      (_q, r, next) => ((r.locals['a'] = 1), next()),
      (q, r) => r.json([r.locals, q.id]),
    ),
    {},
    ['[{"a":1},"the-id"]'],
  ],
  [
    'a router',
    app =>
      app.use(
        '/in',
        express.Router().get('/', (q, r) => void r.json(q.baseUrl)),
      ),
    { path: '/in' },
    ['"/in"'],
  ],
  [
    'a mounted app, with settings of its own',
    app => {
      const inner = express().set('json spaces', 1);
      inner.get('/', (q, r) => void r.json([q.app === inner, r.get('X-Frame-Options')]));
      app.use('/in', inner);
    },
    { path: '/in' },
    ['[\n true,\n "DENY"\n]', 'ETag: W/', 'X-Powered-By: Express\r\n'],
  ],
  [
    'an extended response',
    app => (
      ((app.response as unknown as { ok: unknown }).ok = function (this: Response) {
        this.json('ok');
      }),
      so(r => (r as unknown as { ok(): void }).ok())(app)
    ),
    {},
    ['"ok"'],
  ],

  // Failures
  ['an unknown route', () => undefined, {}, [' 404 ', 'application/problem+json']],
  [
    'an error that is thrown',
    so(() => {
      throw new Error('thrown');
    }),
    {},
    [' 500 '],
  ],
  ['an async handler that fails', so(async () => Promise.reject(new Error('rejected'))), {}, [' 500 ']],
  [
    'an async handler that answers',
    so(async r => (await Promise.resolve(), r.json({ a: 1 }))),
    {},
    ['\r\n\r\n{"a":1}HTTP'],
  ],
  [
    'an error with a status',
    on((_q, _r, next) => next(Object.assign(new Error('no'), { status: 409, expose: true }))),
    {},
    [' 409 '],
  ],
  [
    'a failure after some headers',
    so(r => {
      r.set('X-A', '1').type('txt');
      throw new Error('x');
    }),
    {},
    ['X-A: 1\r\n'],
  ],
  [
    'an error handler of its own',
    app => {
      so(() => {
        throw new Error('mine');
      })(app);
      app.use(
        ((error: Error, _q, r, _next) =>
          void r.status(418).send(error.message)) as express.ErrorRequestHandler,
      );
    },
    {},
    [' 418 ', '\r\n\r\nmineHTTP'],
  ],
];

/** What a handler of the case before has seen. */
let seen: unknown;

describe.each(Object.entries(WAYS))('%s', (_way, served) => {
  test.each(CASES.map(([title, routes, ask, parts]) => ({ title, routes, ask, parts })))(
    '$title',
    async ({ routes, ask, parts = [] }) => {
      const said = await converse(served(routes), ask);
      const first = said.replace(/HTTP\/1.1 200 OK\r\nX-Request-Id: last\r\n[^]*/, 'HTTP');
      for (const part of parts) expect(first).toMatch(part);
      expect(sorted(said)).toBe(sorted(await converse(serve(routes, false), ask)));
    },
  );
});

test('the headers of an ordinary answer come in the same order, too', async () => {
  const routes = so(r => r.json({ a: 1 }));
  expect(await converse(serve(routes, true))).toBe(await converse(serve(routes, false)));
});
