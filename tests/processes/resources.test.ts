/** Resources of a real worker: before it listens, after its drain, and when one cannot be opened. */
import { workerWith } from '../support/features.js';
import { cleanUp, freePort, request, start, type Running } from '../support/processes.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

const messages = ({ lines }: Running): string[] => lines.map(({ msg }) => msg);
const about = (running: Running): string[] => messages(running).filter(msg => /open|close|started/.test(msg));

test('are open before the worker listens, and closed after the last answer, in reverse order', async () => {
  const file = workerWith(`[{
    resources: [resource('database'), resource('queue')],
    routes(router) {
      router.get('/slow', (request, response) => {
        logger.info('in flight');
        setTimeout(() => { logger.info('close to the end'); response.json({ done: true }); }, 300);
      });
    },
  }]`);
  const port = await freePort();
  const running = start([file], { PORT: String(port) });
  await running.said(/HTTP server started/);
  const answer = request(port, '/api/slow');
  await running.said(/in flight/);
  running.kill('SIGTERM');
  expect((await answer).json()).toEqual({ done: true });
  expect(await running.ended).toEqual({ code: 0, signal: null });
  expect(about(running)).toEqual([
    'open database',
    'open queue',
    `Worker ${running.pid} HTTP server started successfully`,
    'close to the end',
    'close queue',
    'close database',
  ]);
});

test('one that cannot be opened ends the boot with one line; those before it are closed', async () => {
  const file = workerWith(`[{
    resources: [
      resource('queue'),
      resource('database', { open: () => { throw new Error('connect ECONNREFUSED 127.0.0.1:5432'); } }),
    ],
  }]`);
  const running = start([file], { PORT: String(await freePort()) });
  expect(await running.ended).toEqual({ code: 1, signal: null });
  expect(messages(running).slice(1)).toEqual([
    'open queue',
    'The resource database could not be opened: connect ECONNREFUSED 127.0.0.1:5432',
    'close queue',
  ]);
});

test('one that hangs while it closes is logged, costs the others nothing, and makes the exit code 1', async () => {
  const file = workerWith(`[{
    resources: [resource('database'), resource('queue', { close: () => new Promise(() => {}) })],
  }]`);
  const running = start([file], { PORT: String(await freePort()), CLOSE_TIMEOUT_MS: '200' });
  await running.said(/HTTP server started/);
  running.kill('SIGTERM');
  expect(await running.ended).toEqual({ code: 1, signal: null });
  expect(messages(running).slice(-2)).toEqual(['Unable to close queue', 'close database']);
});
