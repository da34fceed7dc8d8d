/** The worker by itself: `node dist/index.js`. */
import { createServer } from 'node:net';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEBOUNCE_MS } from '../../src/platform/debounce-signal.js';
import {
  cleanUp,
  folder,
  freePort,
  request,
  ROOT,
  start,
  WORKER,
  type Running,
} from '../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

async function worker(
  env: Record<string, string> = {},
  program = WORKER,
): Promise<Running & { readonly port: number }> {
  const port = await freePort();
  const running = start([program], { PORT: String(port), ...env });
  await running.said(/HTTP server started successfully/);
  return Object.assign(running, { port });
}

/** Our worker with routes of the test's own in front of it. */
function withRoutes(routes: string): string {
  const program = join(folder(), 'worker.js');
  writeFileSync(
    program,
    `const appModule = require(${JSON.stringify(join(ROOT, 'dist', 'app.js'))});
     const { createApp } = appModule;
     const express = require(${JSON.stringify(require.resolve('express'))});
     Object.defineProperty(appModule, 'createApp', { value: needs => { const app = express(); (${routes})(app); app.use(createApp(needs)); return app; } });
     require(${JSON.stringify(join(ROOT, 'dist', 'worker', 'main.js'))}).runWorker();`,
  );
  return program;
}

const SLOW =
  "app => app.get('/slow', (q, r) => { console.log('in flight'); setTimeout(() => r.json({ done: true }), 600); })";

test('it says that it starts and that it has started, and serves', async () => {
  const running = await worker();
  await running.said(/^Listening on/);
  expect(running.lines.map(({ msg }) => msg)).toEqual([
    `Worker ${running.pid} starting`,
    `Worker ${running.pid} HTTP server started successfully`,
    `Listening on http://localhost:${running.port}`,
  ]);
  expect((await request(running.port, '/health')).json()).toMatchObject({
    status: 'ok',
    worker: running.pid,
  });
});

test.each([
  ['SIGTERM', {}],
  ['SIGINT', {}],
  ['SIGTERM', { NODE_ENV: 'development' }],
] as const)(
  '%s answers what is in flight, with Connection: close, and exits with code 0 (%p)',
  async (signal, env) => {
    const running = await worker({ NO_COLOR: '1', ...env }, withRoutes(SLOW));
    const answer = request(running.port, '/slow');
    await running.said(/in flight/);
    running.kill(signal);
    expect((await answer).json()).toEqual({ done: true });
    expect((await answer).headers.connection).toBe('close');
    expect(await running.ended).toEqual({ code: 0, signal: null });
  },
);

test('SIGINT in development ends it at once', async () => {
  const running = await worker({ NODE_ENV: 'development', NO_COLOR: '1' }, withRoutes(SLOW));
  const answer = request(running.port, '/slow');
  answer.catch(() => undefined);
  await running.said(/in flight/);
  running.kill('SIGINT');
  expect(await running.ended).toEqual({ code: 0, signal: null });
  await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('a second signal does not wait', async () => {
  const running = await worker({}, withRoutes(SLOW.replace('600', '600_000')));
  request(running.port, '/slow').catch(() => undefined);
  await running.said(/in flight/);
  running.kill('SIGTERM');
  await running.said(/draining/);
  await new Promise(resolve => setTimeout(resolve, DEBOUNCE_MS + 100)); // until then it would be the same one
  running.kill('SIGTERM');
  expect((await running.ended).code).toBe(1);
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s twice at once counts once', async signal => {
  const running = await worker({}, withRoutes(SLOW));
  const answer = request(running.port, '/slow');
  await running.said(/in flight/);
  running.kill(signal);
  await running.said(/draining/);
  running.kill(signal);
  expect((await answer).json()).toEqual({ done: true });
  expect(await running.ended).toEqual({ code: 0, signal: null });
});

test('while it stops, /readyz says 503 and everything is served for DRAIN_DELAY_MS', async () => {
  const running = await worker({ DRAIN_DELAY_MS: '600' });
  expect((await request(running.port, '/readyz')).status).toBe(200);
  running.kill('SIGTERM');
  await running.said(/draining/);
  const answer = await request(running.port, '/readyz');
  expect([answer.status, answer.json()]).toEqual([503, { status: 'stopping' }]);
  expect((await request(running.port, '/health')).status).toBe(200);
  expect((await running.ended).code).toBe(0);
});

test('what is cut at the deadline is logged, and makes the exit code 1', async () => {
  const running = await worker({ DRAIN_TIMEOUT_MS: '1100' }, withRoutes(SLOW.replace('600', '600_000')));
  request(running.port, '/slow').catch(() => undefined);
  await running.said(/in flight/);
  running.kill('SIGTERM');
  expect((await running.ended).code).toBe(1);
  expect(running.lines.map(({ msg }) => msg)).toContain('Cut at the drain deadline: GET /slow');
});

describe('an unexpected failure', () => {
  test.each([
    ['an exception', "throw new Error('out of the blue')"],
    ['a rejection', "void Promise.reject(new Error('out of the blue'))"],
  ])(
    '%s is logged with its stack; requests in flight are answered; the exit code is 1',
    async (_name, code) => {
      const routes = `app => { (${SLOW})(app); app.get('/fail', (q, r) => { r.end(); setTimeout(() => { ${code}; }); }); }`;
      const running = await worker({}, withRoutes(routes));
      const answer = request(running.port, '/slow');
      await running.said(/in flight/);
      await request(running.port, '/fail');
      expect((await answer).status).toBe(200);
      expect((await running.ended).code).toBe(1);
      const fatal = running.lines.find(({ level }) => level === 60);
      expect(fatal).toMatchObject({
        msg: `Worker ${running.pid} failed: out of the blue`,
        err: { message: 'out of the blue', stack: expect.stringContaining('worker.js') },
      });
    },
  );
});

describe('what keeps it from starting is one clear line and an exit code', () => {
  test('a taken port: 6, with its owner', async () => {
    const port = await freePort();
    const holder = createServer().listen(port);
    const running = start([WORKER], { PORT: String(port) });
    expect((await running.ended).code).toBe(6);
    holder.close();
    expect(running.lines.filter(({ level }) => level === 60).map(({ msg }) => msg)).toEqual([
      expect.stringMatching(`^Port ${port} is already in use by pid ${process.pid} `),
    ]);
  });

  test('an invalid environment: 5, with every problem', async () => {
    const running = start([WORKER], { PORT: 'x', TRUST_PROXY: 'y' });
    expect((await running.ended).code).toBe(5);
    expect(running.lines).toHaveLength(1);
    expect(running.lines[0]?.msg).toMatch(/PORT must be.*got "x"; TRUST_PROXY must be.*got "y"/);
  });

  test('its reason is written before it exits, also with a log destination that writes later', async () => {
    const log = join(folder(), 'log');
    const program = join(folder(), 'worker.js');
    writeFileSync(
      program,
      `process.stdout.write = (text, encoding, done) => {
         setTimeout(() => { require('node:fs').appendFileSync(${JSON.stringify(log)}, text); done?.(); }, 200);
         return true;
       };
       require(${JSON.stringify(WORKER)});`,
    );
    const running = start([program], { PORT: 'abc' });
    expect((await running.ended).code).toBe(5);
    expect(readFileSync(log, 'utf8')).toMatch(/PORT must be .*, got .*abc/);
  });

  test('an address that is not ours: 5', async () => {
    const running = start([WORKER], { PORT: '4000', HOST: '192.0.2.1' });
    expect((await running.ended).code).toBe(5);
    expect(running.lines.at(-1)?.msg).toMatch(/HOST must be an address of this machine.*got "192\.0\.2\.1"/);
  });

  test('the parent process gets the reason', async () => {
    const child = fork(WORKER, { env: { PORT: 'x' }, stdio: 'ignore' });
    const [message] = (await once(child, 'message')) as [unknown];
    expect(message).toEqual({ type: 'cabe:boot-failed', code: 5, message: expect.stringContaining('PORT') });
    await once(child, 'exit');
  });
});

test('what is thrown while modules load is a fatal line with the stack, and the exit code is 1', async () => {
  const at = folder();
  for (const name of ['dist', 'package.json']) cpSync(join(ROOT, name), join(at, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(at, 'node_modules'));
  writeFileSync(join(at, 'dist', 'worker.bundle.js'), "throw new Error('a feature is broken')");
  const running = start([join(at, 'dist', 'index.js')]);
  expect(await running.ended).toEqual({ code: 1, signal: null });
  expect(running.lines).toMatchObject([
    {
      level: 60,
      err: { message: 'a feature is broken', stack: expect.stringContaining('worker.bundle.js:1') },
      msg: `Worker ${running.pid} could not load its program: a feature is broken`,
    },
  ]);
});
