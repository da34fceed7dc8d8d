/** The lines of both examples of the log, level and text, from the first to the last. */
import { cleanUp } from '../support/processes.js';
import { service } from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** What a service of one worker says from start to stop, without the pids. */
const EVERY_LINE = [
  'Master process M is running',
  'Forking 1 workers (WEB_CONCURRENCY=1)',
  'Forking worker 1/1',
  'Worker W is online',
  'Worker W starting',
  'Worker W HTTP server started successfully',
  'Listening on http://localhost:N',
  'Master process received SIGTERM, shutting down all workers gracefully',
  'Disconnecting worker W',
  "Worker W draining (supervisor's order)",
  'Worker W disconnected',
  'All workers disconnected, master process exiting',
].toSorted();

const anonymous = (line: string): string =>
  line
    .replace(/^Master process \d+/, 'Master process M')
    .replace(/localhost:\d+$/, 'localhost:N')
    .replace(/(Worker|worker) \d+(?!\d*\/)/, '$1 W');

test('in production: JSON of level info', async () => {
  const running = await service({ workers: 1 });
  running.kill('SIGTERM');
  expect((await running.ended).code).toBe(0);
  expect(running.lines.map(({ msg }) => anonymous(msg)).toSorted()).toEqual(EVERY_LINE);
  expect(new Set(running.lines.map(({ level }) => level))).toEqual(new Set([30]));
  expect(running.lines[0]?.msg).toMatch(/^Master process \d+ is running$/);
  expect(running.lines.at(-1)?.msg).toBe('All workers disconnected, master process exiting');
});

test('in development: the same words, readable, of level INFO', async () => {
  const running = await service({ workers: 1, args: ['--env', 'development'] });
  running.kill('SIGTERM');
  expect((await running.ended).code).toBe(0);
  const words = running.lines.map(
    ({ msg }) => /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] INFO: (.*)$/.exec(msg)?.[1] ?? msg,
  );
  expect(words.map(anonymous).toSorted()).toEqual(EVERY_LINE);
  expect(words.at(-1)).toBe('All workers disconnected, master process exiting');
});
