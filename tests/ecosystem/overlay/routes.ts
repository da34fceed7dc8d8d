/**
 * The ordinary packages of the Express world, each on routes of its own below `/eco`, used as their manuals say. This
 * file becomes `src/ecosystem/routes.ts` of a copy of the project (`project.ts`), and is built with it.
 */
import { url as debuggerUrl } from 'node:inspector';
import { join } from 'node:path';
import compression from 'compression';
import cookieParser from 'cookie-parser';
import cors from 'cors';
import express, { Router, type Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import session from 'express-session';
import helmet from 'helmet';
import { createProxyMiddleware, fixRequestBody } from 'http-proxy-middleware';
import morgan from 'morgan';
import multer from 'multer';
import { customAlphabet } from 'nanoid';
import { pinoHttp } from 'pino-http';
import serveStatic from 'serve-static';
import { logger } from '../utils/logger.js';

declare module 'express-session' {
  interface SessionData {
    visits: number;
  }
}

/** What the tests tell by the environment; the build starts a worker without it. */
const { ECO_UPSTREAM: upstream = 'http://127.0.0.1:1', ECO_FILES: files = __dirname } = process.env;

const SECRET = 'a secret of the tests';

export function ecosystem(): Router {
  const router = Router();

  router.post('/echo', (request, response) => {
    response.json(request.body);
  });
  router.post('/form', express.urlencoded({ extended: true }), (request, response) => {
    response.json(request.body);
  });
  router.get('/sent', (_request, response) => {
    response.sendFile('notes.txt', { root: files });
  });

  // An app that is mounted has settings of its own.
  const tagged = express();
  tagged.set('etag', 'strong');
  tagged.get('/', (_request, response) => {
    response.json({ tagged: true });
  });
  router.use('/tagged', tagged);

  const cookies = Router().use(cookieParser(SECRET));
  cookies.get('/give', (_request, response) => {
    response.cookie('name', 'value', { signed: true, httpOnly: true, sameSite: 'lax' }).json({ given: true });
  });
  cookies.get('/read', (request, response) => {
    response.json({ signed: request.signedCookies as unknown, plain: request.cookies as unknown });
  });
  router.use('/cookies', cookies);

  const compressed = Router().use(compression({ threshold: 0 }));
  compressed.get('/json', (_request, response) => {
    response.json({ text: 'again and '.repeat(1_000) });
  });
  compressed.get('/stream', (_request, response) => {
    response.type('text/plain').write('first ');
    (response as Response & { flush(): void }).flush();
    response.end('second');
  });
  router.use('/compressed', compressed);

  router.get('/helmet', helmet({ frameguard: { action: 'sameorigin' } }), (_request, response) => {
    response.json({ safe: true });
  });

  router.use(
    '/cors',
    cors({ origin: 'https://shop.example', credentials: true, exposedHeaders: 'X-Request-Id' }),
  );
  router.put('/cors', (_request, response) => {
    response.json({ shared: true });
  });

  router.get(
    '/limited',
    rateLimit({ windowMs: 60_000, limit: 2, standardHeaders: 'draft-8', legacyHeaders: false }),
    (_request, response) => {
      response.json({ served: true });
    },
  );

  router.get(
    '/session',
    session({ secret: SECRET, resave: false, saveUninitialized: false }),
    (request, response) => {
      request.session.visits = (request.session.visits ?? 0) + 1;
      response.json({ visits: request.session.visits });
    },
  );

  const toLog = { write: (line: string) => logger.info({ by: 'morgan' }, line.trim()) };
  router.get(
    '/morgan',
    morgan('morgan :method :url :status :res[content-length]', { stream: toLog }),
    (_request, response) => {
      response.json({ logged: true });
    },
  );

  router.post('/upload', multer({ storage: multer.memoryStorage() }).single('file'), (request, response) => {
    const { originalname: name, mimetype: type, buffer } = request.file as Express.Multer.File;
    logger.info({ by: 'multer' }, `Uploaded ${name}`);
    response.json({ name, type, text: buffer.toString(), title: (request.body as { title: string }).title });
  });

  router.get('/pino-http', pinoHttp({ logger, genReqId: ({ id }) => id as string }), (request, response) => {
    request.log.info({ by: 'handler' }, 'pino-http is at work');
    response.json({ logged: true });
  });

  router.use(
    '/proxy',
    createProxyMiddleware({ target: upstream, changeOrigin: true, on: { proxyReq: fixRequestBody } }),
  );

  router.use('/static', serveStatic(files));

  // Of two packages that are ES modules only, one is imported at once, the other when it is needed.
  const letters = customAlphabet('abc', 12);
  router.get('/esm', async (_request, response) => {
    const { default: pLimit } = await import('p-limit');
    const limited = pLimit(1);
    const doubled = await Promise.all([1, 2, 3].map(n => limited(() => Promise.resolve(n * 2))));
    response.json({ id: letters(), doubled });
  });

  router.get('/logged/:name', (request, response) => {
    logger.info({ by: 'handler' }, `Hello from ${request.params.name}`);
    response.json({ logged: true });
  });

  router.get('/logged-later/:name', async (request, response) => {
    await new Promise(resolve => setTimeout(resolve, 1));
    logger.info({ by: 'handler' }, `Hello later from ${request.params.name}`);
    response.json({ logged: true });
  });

  router.get('/options', (_request, response) => {
    response.json({ debugger: debuggerUrl() ?? null, sourceMaps: process.sourceMapsEnabled });
  });
  router.get('/typescript', (_request, response) => {
    response.json(require(join(files, 'typed.ts')));
  });
  router.get('/broken', () => {
    throw new Error('broken on purpose');
  });

  return router;
}
