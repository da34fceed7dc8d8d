/** How long a worker takes to drain: as long as a connection needs it, and no longer. */
import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { cleanUp, folder, freePort, isAlive, start, until, WORKER } from '../support/processes.js';
import { Pm2 } from '../support/pm2.js';
import { service } from '../support/service.js';
import { FailingWorkers } from '../support/failing-workers.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** Idle workers leave in milliseconds; one that waited for silent connections would take a second. */
const AT_ONCE_MS = 700;

async function took(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

describe('without a connection it exits at once', () => {
  test('alone', async () => {
    const running = start([WORKER], { PORT: String(await freePort()) });
    await running.said(/HTTP server started/);
    running.kill();
    expect(await took(() => running.ended)).toBeLessThan(AT_ONCE_MS);
    expect(await running.ended).toEqual({ code: 0, signal: null });
  });

  test('with its whole native service', async () => {
    const running = await service();
    running.kill();
    expect(await took(() => running.ended)).toBeLessThan(AT_ONCE_MS);
    expect(await running.ended).toEqual({ code: 0, signal: null });
  });

  test('under PM2', async () => {
    const pm2 = new Pm2({ PORT: String(await freePort()), WEB_CONCURRENCY: '1' });
    try {
      await pm2.run('start', 'ecosystem.config.js');
      const [{ pid } = { pid: NaN }] = await pm2.list();
      process.kill(pid, 'SIGTERM');
      expect(await took(() => until(() => !isAlive(pid), 'it has left'))).toBeLessThan(AT_ONCE_MS);
    } finally {
      await pm2.end();
    }
  });
});

test('an exception while it drains cuts the time short, not the requests: they have two more seconds', async () => {
  const failing = new FailingWorkers(folder());
  const program = join(dirname(failing.appFile()), 'app.js');
  const port = await freePort();
  const running = start([program], { PORT: String(port), DRAIN_TIMEOUT_MS: '60000' });
  await running.said(/HTTP server started/);
  const upload = http.request({
    host: '127.0.0.1',
    port,
    path: '/long/upload',
    method: 'POST',
    agent: false,
  });
  upload.on('error', () => undefined).flushHeaders(); // its body never comes
  const [socket] = (await once(upload, 'socket')) as [Socket];
  await once(socket, 'connect'); // it is accepted before later connections
  const download = http.get({ host: '127.0.0.1', port, path: '/long/download', agent: false });
  const answer = new Promise<number>((resolve, reject) => {
    let size = 0;
    download.on('error', reject).on('response', response => {
      running.kill();
      response.on('data', (piece: Buffer) => (size += piece.length)).on('end', () => resolve(size));
    });
  });
  await running.said(/draining/);
  failing.inject(running.pid, 'throw');
  await running.said(/failed/);
  expect(await answer).toBe(20 * 4_096);
  expect(await running.ended).toEqual({ code: 1, signal: null });
  expect(running.lines.map(({ msg }) => msg)).toContain('Cut at the drain deadline: POST /long/upload');
});
