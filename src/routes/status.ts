import { Router } from 'express';
import type { Environment } from '../config.js';
import { VERSION } from '../version.js';
import { methods } from './methods.js';

/** `GET /api/status`: which version answers, where, and from which worker. */
export function status(environment: Environment): Router {
  const router = Router();
  methods(router, '/status', {
    get(_request, response) {
      response.json({
        message: 'Cabe Arena API is running',
        version: VERSION,
        environment,
        worker: process.pid,
      });
    },
  });
  return router;
}
