/** Words to a supervisor that is dead already, while the worker has not noticed yet. */
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { cleanUp, folder, isAlive, until } from '../support/processes.js';
import { service, serving } from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

test('cost no request in flight', async () => {
  const hook = join(folder(), 'hook.js');
  writeFileSync(
    hook,
    `process.on('SIGUSR2', () => {
       process.kill(process.ppid, 'SIGKILL');
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300); // the kernel closes the channel meanwhile
       process.send('ready');
     });`,
  );
  const running = await service({ workers: 1, env: { NODE_OPTIONS: `--require ${hook}` } });
  const [worker = 0] = await serving(running);
  const headers = { 'Content-Type': 'application/json', 'Content-Length': '2', Expect: '100-continue' };
  const held = http.request({
    host: '127.0.0.1',
    port: running.port,
    method: 'POST',
    path: '/echo',
    headers,
    agent: false,
  });
  const status = new Promise(resolve =>
    held.on('response', ({ statusCode }) => resolve(statusCode)).on('error', resolve),
  );
  await new Promise(resolve => held.once('continue', resolve).flushHeaders());
  process.kill(worker, 'SIGUSR2');
  await running.said(/draining/);
  await new Promise(resolve => setTimeout(resolve, 3_000)); // longer than a worker that has failed would wait
  held.end('{}');
  expect(await status).toBe(404);
  await until(() => !isAlive(worker), 'the worker has left');
  expect(running.text()).toMatch(/draining \(supervisor lost\)/);
  expect(running.text()).not.toMatch(/failed|EPIPE/);
});
