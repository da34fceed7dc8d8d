import { join } from 'node:path';
import compression from 'compression';
import cookieParser from 'cookie-parser';
import cors from 'cors';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import session from 'express-session';
import type { Feature } from '../features/feature.js';

/** In front of all features that come after it in `src/api.ts`. */
export const crossOrigin: Feature = {
  routes(router) {
    router.use(cors({ origin: 'https://shop.example', credentials: true, exposedHeaders: 'X-Request-Id' }));
    router.use(cookieParser());
  },
};

/** Only where it is needed: one route, or one router. */
export const reports: Feature = {
  routes(router) {
    const limit = rateLimit({ windowMs: 60_000, limit: 2, standardHeaders: 'draft-8', legacyHeaders: false });
    router.get('/reports', limit, compression({ threshold: 0 }), (request, response) => {
      response.json({
        reader: (request.cookies as Record<string, string>)['reader'],
        lines: 'x'.repeat(5_000),
      });
    });
  },
};

export const visits: Feature = {
  routes(router) {
    // Each worker has a memory of its own: use a store that all share (connect-redis, connect-pg-simple).
    const keep = session({ secret: 'a secret', resave: false, saveUninitialized: false });
    router.get('/visits', keep, (request, response) => {
      request.session.visits = (request.session.visits ?? 0) + 1;
      response.json({ visits: request.session.visits });
    });
  },
};

/** Pages. The headers of an API forbid them scripts, styles and images. */
export const site: Feature = {
  path: '/site',
  routes(router) {
    const setHeaders = (response: express.Response): void =>
      void response.setHeader('Content-Security-Policy', "default-src 'self'");
    router.use(express.static(process.env['SITE'] ?? join(process.cwd(), 'public'), { setHeaders }));
  },
};

declare module 'express-session' {
  interface SessionData {
    visits: number;
  }
}
