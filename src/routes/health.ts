/** What load balancers and orchestrators ask. */
import type { IRouter } from 'express';
import { methods } from './methods.js';

export type Readiness = 'starting' | 'ready' | 'stopping';

const PROBE = /^\/(?:health|livez|readyz)\/?(?:\?|$)/i;

/** Whether this URL is one of {@link health}'s, as Express matches them. */
export const isProbe = (url: string): boolean => PROBE.test(url);

/** `/health` for people, `/livez` (the loop turns) and `/readyz` (send traffic here) for machines. */
export function health(
  router: IRouter,
  readiness: () => Readiness,
  check?: () => Promise<readonly string[]>,
): void {
  methods(router, '/health', {
    get(_request, response) {
      response.json({
        status: 'ok',
        timestamp: new Date().toISOString(),
        uptime: process.uptime(),
        worker: process.pid,
      });
    },
  });
  methods(router, '/livez', {
    get(_request, response) {
      response.json({ status: 'live' });
    },
  });
  methods(router, '/readyz', {
    async get(_request, response) {
      const status = readiness();
      const unavailable = status === 'ready' && check !== undefined ? await check() : [];
      if (unavailable.length > 0) response.status(503).json({ status: 'unavailable', unavailable });
      else response.status(status === 'ready' ? 200 : 503).json({ status });
    },
  });
}
