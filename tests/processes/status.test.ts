/** What `status` and its exit code say of a service in each state, and what the process title says. */
import { readFileSync } from 'node:fs';
import { crashLooping, down, healthy, hung, type Troubled } from '../support/incidents.js';
import { cleanUp, until } from '../support/processes.js';
import { messages, serving, statusOf } from '../support/service.js';

jest.setTimeout(90_000);
afterEach(cleanUp);

const titleOf = ({ pid }: Troubled): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8');

/** The first line of `status`, without what follows three spaces, and its exit code. */
async function headline(running: Troubled): Promise<readonly [code: number | null, line: string]> {
  const { code, text } = await running.command('status');
  return [code, text.split(/ {3}|\n/)[0] ?? ''];
}

test('a service whose workers all serve is ready', async () => {
  const running = await healthy();
  expect(await headline(running)).toEqual([0, '✓ test-app ready: 2 of 2 workers serve']);
  expect(titleOf(running)).toMatch(/^master ready 2\/2/);
});

test('a worker that hangs does not count as serving; the log tells once', async () => {
  const running = await hung();
  const [code, line] = await headline(running);
  expect(code).toBe(3);
  expect(line).toMatch(/^✗ test-app hung: 1 of 2 workers serve, 1 hung for \d+ s$/);
  const { state, served, workers } = await statusOf(running);
  expect([state, served, workers.map(row => row.state)]).toEqual(['hung', 1, ['hung', 'ready']]);
  expect(workers[0]?.hungFor).toBeGreaterThanOrEqual(5_000);
  expect(titleOf(running)).toMatch(/^master hung 1\/2/);
  expect(messages(running).filter(said => /hangs/.test(said))).toHaveLength(1);
});

test('a worker that responds again serves again', async () => {
  const running = await healthy();
  const [victim = NaN] = await serving(running);
  process.kill(victim, 'SIGSTOP');
  await running.said(new RegExp(`^Worker ${victim} hangs`));
  process.kill(victim, 'SIGCONT');
  await running.said(new RegExp(`^Worker ${victim} responds again, it hung for \\d+ s$`));
  expect(await headline(running)).toEqual([0, '✓ test-app ready: 2 of 2 workers serve']);
});

test('a worker that crashes again and again is a crash loop, although another one serves', async () => {
  const running = await crashLooping();
  const [code, line] = await headline(running);
  expect(code).toBe(3);
  expect(line).toMatch(/^✗ test-app crash-looping: 1 of 2 workers serve, \d+ restarts in the last minute$/);
  const { text } = await running.command('status');
  expect(text).toMatch(/^0 .* backoff, next try in \d+ (ms|s) /m);
  expect(titleOf(running)).toMatch(/^master crash-looping [12]\/2/);
});

test('a service without a worker that serves is down', async () => {
  const running = await down();
  const [code, line] = await headline(running);
  expect(code).toBe(4);
  expect(line).toMatch(/^✗ test-app down: 0 of 2 workers serve, \d+ restarts in the last minute$/);
  running.crash();
  await until(async () => (await serving(running)).length === 2, 'both serve again');
  expect((await headline(running))[0]).toBe(3);
  expect((await running.command('reload')).code).toBe(0);
  expect((await headline(running))[0]).toBe(0);
});

test('nobody who answers is an exit code of its own', async () => {
  const running = await healthy();
  running.kill('SIGTERM');
  await running.ended;
  expect((await headline(running))[0]).toBe(1);
});
