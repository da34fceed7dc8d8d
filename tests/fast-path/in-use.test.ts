/** The real app takes the fast ways, in this Express and this Node, unless they are switched off. */
import { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { canPreset } from '../../src/fast-path/preset-headers.js';
import { createLogger } from '../../src/utils/logger.js';
import { createServer } from '../../src/worker/server.js';
import { converse } from './conversation.js';

afterEach(() => jest.restoreAllMocks());

/** What Express and Node do for one answer of ours, and what a request and a response are, at birth and at the end. */
async function watch(tuning: string, path: string) {
  const calls = {
    json: jest.spyOn(express.response, 'json'),
    send: jest.spyOn(express.response, 'send'),
    setHeader: jest.spyOn(ServerResponse.prototype, 'setHeader'),
  };
  const config = readConfig({ EXPRESS_TUNING: tuning });
  const output = { write: () => undefined, writeSoon: () => undefined };
  const logger = createLogger({ env: 'production', output });
  const server = createServer(createApp({ config, logger, readiness: () => 'ready' }), config);
  const kinds: { born: object[]; done: object[] }[] = [];
  server.prependListener('request', (...both) => {
    const born = both.map(Object.getPrototypeOf) as object[];
    both[1].once('finish', () => kinds.push({ born, done: both.map(Object.getPrototypeOf) as object[] }));
  });
  expect(await converse(server, { path })).toMatch('HTTP/1.1 200 OK\r\n');
  const [kind = { born: [], done: [] }] = kinds;
  const counts = Object.entries(calls).map(([name, spy]) => [name, spy.mock.calls.length] as const);
  return { ...kind, calls: Object.fromEntries(counts) as Record<keyof typeof calls, number> };
}

describe.each(['/health', '/api/status', '/readyz'])('%s', path => {
  test('is answered without the ways of Express, by objects that were born as its own', async () => {
    const { born, done, calls } = await watch('on', path);
    expect(calls).toEqual({ json: 0, send: 0, setHeader: 0 });
    expect(born).toHaveLength(2);
    expect(done[0]).toBe(born[0]);
    expect(done[1]).toBe(born[1]);
  });

  test('is answered by Express as it comes, on a server as it comes, where the tuning is off', async () => {
    const { born, done, calls } = await watch('off', path);
    // This answer and the one that ends the conversation; json gives its text to send.
    expect(calls).toMatchObject({ json: 2, send: 2 });
    expect(calls.setHeader).toBeGreaterThan(20);
    expect(born).toEqual([IncomingMessage.prototype, ServerResponse.prototype]);
    expect(done).not.toContain(born[0]);
    expect(done).not.toContain(born[1]);
  });
});

test('this Node makes heads in the way that standing headers rest on', () => {
  expect(canPreset).toBe(true);
});
