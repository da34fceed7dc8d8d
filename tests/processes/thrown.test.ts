/**
 * Whatever a worker or the supervisor throws: the request in flight is answered, the log has one line with the reason,
 * and the exit code is that of a failure.
 */
import http from 'node:http';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, folder, freePort, start, until, WORKER, type Running } from '../support/processes.js';
import { service, served, statusOf } from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** Code that runs in a process at SIGUSR2, as code of an app might: outside of any request. */
function onSignal(code: string, isWorker = true): { readonly NODE_OPTIONS: string } {
  const file = join(folder(), 'hook.cjs');
  writeFileSync(
    file,
    `if (${isWorker} === (process.send !== undefined || process.argv[1].endsWith('index.js')))
       process.on('SIGUSR2', () => setImmediate(() => { ${code} }));`,
  );
  return { NODE_OPTIONS: `--require ${file}` };
}

/** A request whose body is not complete yet. */
async function halfRequest(port: number): Promise<{ finish(): Promise<number | undefined> }> {
  const sent = http.request({
    port,
    host: '127.0.0.1',
    path: '/api/status',
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Content-Length': 2, Expect: '100-continue' },
  });
  sent.flushHeaders();
  // The server has read the head.
  await once(sent, 'continue');
  sent.write('{');
  return {
    async finish() {
      sent.end('}');
      const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
      response.resume();
      return response.statusCode;
    },
  };
}

const HOSTILE = `class Hostile extends Error { get message() { throw 1 } get stack() { throw 2 } get name() { throw 3 } }`;

const fatal = (running: Running): Running['lines'] => running.lines.filter(({ level }) => level === 60);

test.each([
  ['an error', `throw new Error('out of stock')`, 'out of stock'],
  ['a frozen error', `throw Object.freeze(new Error('out of stock'))`, 'out of stock'],
  ['nothing', `throw undefined`, 'undefined was thrown'],
  ['null', `throw null`, 'null was thrown'],
  ['a symbol', `throw Symbol('out of stock')`, 'Symbol(out of stock) was thrown'],
  ['a function', `throw () => 1`, 'a function was thrown'],
  ['a hostile error', `${HOSTILE} throw new Hostile()`, 'an error that cannot be read'],
  [
    'a revoked proxy',
    `const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy`,
    'an object that cannot be read was thrown',
  ],
  ['a rejection without a reason', `Promise.reject()`, 'a promise was rejected without a reason'],
])('a worker that throws %s says so, and answers the request in flight', async (_name, code, reason) => {
  const port = await freePort();
  const running = start([WORKER], { PORT: String(port), ...onSignal(code) });
  await running.said(/HTTP server started/);
  const request = await halfRequest(port);
  running.kill('SIGUSR2');
  await running.said(/failed/);
  expect(await request.finish()).toBe(405);
  expect(await running.ended).toEqual({ code: 1, signal: null });
  expect(fatal(running)).toEqual([
    expect.objectContaining({
      msg: `Worker ${running.pid} failed: ${reason}`,
      err: expect.objectContaining({ type: expect.any(String), message: reason, stack: expect.any(String) }),
    }),
  ]);
});

test('a secret in what a worker throws is neither in the log nor in status', async () => {
  const code = `throw Object.assign(new Error('GET https://me:s3cret@api/?api_key=s3cret failed'), {
    config: { headers: { Authorization: 'Bearer s3cret' }, data: '{"password":"s3cret"}' },
  })`;
  const running = await service({ workers: 1, env: onSignal(code) });
  process.kill(served(running)[0] ?? NaN, 'SIGUSR2');
  await until(() => served(running).length === 2, 'it is replaced');
  const status = JSON.stringify(await statusOf(running));
  expect(status).toContain('GET https://[Redacted]@api/?api_key=[Redacted] failed');
  expect(running.text() + status).not.toContain('s3cret');
});

test.each([
  ['nothing', `throw undefined`, 'undefined was thrown'],
  ['a frozen error', `throw Object.freeze(new Error('bug'))`, 'bug'],
  ['a hostile error', `${HOSTILE} throw new Hostile()`, 'an error that cannot be read'],
  ['a rejection without a reason', `Promise.reject()`, 'a promise was rejected without a reason'],
])('a supervisor that throws %s says so and exits with 1', async (_name, code, reason) => {
  const running = await service({ workers: 1, env: onSignal(code, false) });
  running.kill('SIGUSR2');
  expect(await running.ended).toMatchObject({ code: 1 });
  expect(fatal(running)).toEqual([
    expect.objectContaining({
      msg: `Master process ${running.pid} failed: ${reason}`,
      err: expect.objectContaining({ message: reason, stack: expect.any(String) }),
    }),
  ]);
});
