/** The times of the HTTP server, and the relation between them. */
import express from 'express';
import { readConfig } from '../../src/config.js';
import { createServer } from '../../src/worker/server.js';

const serverOf = (env: Record<string, string> = {}) => createServer(express(), readConfig(env));

test('a silent connection is kept for longer than the 60 s of usual load balancers', () => {
  expect(serverOf().keepAliveTimeout).toBeGreaterThan(60_000);
});

test.each([1, 4_000, 65_000, 299_500, 600_000, 2 ** 31 - 1_001])(
  'with KEEP_ALIVE_TIMEOUT_MS=%i a head may take longer than a silence, and a request no less than its head',
  keepAlive => {
    for (const tuning of ['on', 'off']) {
      const server = serverOf({ KEEP_ALIVE_TIMEOUT_MS: String(keepAlive), EXPRESS_TUNING: tuning });
      expect(server.keepAliveTimeout).toBe(keepAlive);
      expect(server.headersTimeout).toBeGreaterThan(server.keepAliveTimeout);
      expect(server.requestTimeout).toBeGreaterThanOrEqual(server.headersTimeout);
      expect(server.requestTimeout).toBeLessThan(2 ** 31);
    }
  },
);
