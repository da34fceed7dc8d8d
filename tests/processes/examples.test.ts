/** The examples, built and run under both supervisors. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import http from 'node:http';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { exampleProject } from '../support/example-project.js';
import { cleanUp, folder, freePort, request, start, until } from '../support/processes.js';
import { Pm2 } from '../support/pm2.js';

jest.setTimeout(120_000);

/** Node 20 has no node:sqlite. */
const EXAMPLES = isBuiltin('node:sqlite') ? ['games', 'clock', 'chat'] : ['clock', 'chat'];

/** A running service of one worker. */
interface Running {
  readonly port: number;
  reload(): Promise<void>;
  stop(): Promise<void>;
}

let shell: Record<string, string>;
let port: number;
beforeEach(async () => {
  port = await freePort();
  shell = {
    PORT: String(port),
    WEB_CONCURRENCY: '1',
    RUN_DIR: folder(),
    FEATURES: 'on',
    DATABASE_FILE: join(folder(), 'games.db'),
  };
});
afterEach(cleanUp);

async function natively(at: string): Promise<Running> {
  const cluster = join(at, 'dist', 'cluster.js');
  const running = start([cluster], shell, at);
  await running.said(/HTTP server started successfully/);
  return {
    port,
    async reload() {
      expect((await start([cluster, 'reload'], shell, at).ended).code).toBe(0);
    },
    async stop() {
      running.kill('SIGTERM');
      expect(await running.ended).toEqual({ code: 0, signal: null });
    },
  };
}

async function underPm2(at: string): Promise<Running> {
  const pm2 = new Pm2(shell);
  expect((await pm2.runFrom({ cwd: at }, 'start', 'ecosystem.config.js')).code).toBe(0);
  return {
    port,
    async reload() {
      expect((await pm2.runFrom({ cwd: at }, 'reload', 'ecosystem.config.js')).code).toBe(0);
    },
    stop: () => pm2.end(),
  };
}

/** A client of the clock: resolves when it has the first event; `ended` with whether the answer was complete. */
function listen(): Promise<{ readonly ended: Promise<boolean> }> {
  return new Promise((resolve, reject) => {
    const sent = http.get({ host: '127.0.0.1', port, path: '/api/clock', agent: false }, response => {
      const ended = new Promise<boolean>(done => response.once('close', () => done(response.complete)));
      response.on('error', () => undefined).once('data', () => resolve({ ended }));
    });
    sent.on('error', reject);
  });
}

test.each([
  ['the native supervisor', natively],
  ['PM2', underPm2],
])('under %s they serve, and 50 clients of server-sent events do not hold up a reload', async (_who, run) => {
  const at = exampleProject(EXAMPLES);
  expect(existsSync(join(at, 'games.db'))).toBe(false); // a build opens no database
  const service = await run(at);
  try {
    const clients = await Promise.all(Array.from({ length: 50 }, listen));
    const chat = new WebSocket(`ws://127.0.0.1:${port}/api/chat`);
    await once(chat, 'open');
    chat.send('hello');
    expect(String((await once(chat, 'message'))[0])).toBe('hello');
    const closed = once(chat, 'close') as Promise<[number, Buffer]>;
    if (EXAMPLES.includes('games')) await playGames();

    const before = performance.now();
    await service.reload();
    const reloadMs = Math.round(performance.now() - before);
    const complete = await Promise.all(clients.map(({ ended }) => ended));
    expect(complete.filter(isComplete => isComplete)).toHaveLength(50);
    expect((await closed)[0]).toBe(1012);
    expect((await request(port, '/health')).status).toBe(200);
    // Far below DRAIN_TIMEOUT_MS, which they would use up otherwise.
    expect(reloadMs).toBeLessThan(7_000);
  } finally {
    await service.stop();
  }
  await until(
    () =>
      request(port, '/health').then(
        () => false,
        () => true,
      ),
    'it has stopped',
  );
});

async function playGames(): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const added = await request(port, '/api/games', { method: 'POST', headers, body: '{"title":"Go"}' });
  expect([added.status, added.json()]).toEqual([201, { id: 1, title: 'Go' }]);
  const refused = await request(port, '/api/games', { method: 'POST', headers, body: '{}' });
  expect([refused.status, refused.json()]).toMatchObject([422, { errors: [{ pointer: '#/title' }] }]);
  expect((await request(port, '/api/games')).json()).toEqual([{ id: 1, title: 'Go' }]);
}
