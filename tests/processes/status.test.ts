/** What `status` and its exit code say of a service in each state, and what the process title says. */
import { readFileSync } from 'node:fs';
import {
  crashLooping,
  down,
  failedReload,
  healthy,
  hung,
  outOfMemory,
  replacedForMemory,
  type Troubled,
} from '../support/incidents.js';
import { makeControlGroup } from '../support/control-group.js';
import { cleanUp, until } from '../support/processes.js';
import { messages, serving, statusOf } from '../support/service.js';
import { documented, shown } from '../support/status-pages.js';

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
  expect(await headline(running)).toEqual([0, '✓ cabe-arena-api ready: 2 of 2 workers serve']);
  expect(titleOf(running)).toMatch(/^master ready 2\/2/);
});

test('a worker that hangs does not count as serving; the log tells once', async () => {
  const running = await hung();
  expect(await shown(running)).toBe(documented('A worker hangs'));
  const [code, line] = await headline(running);
  expect(code).toBe(3);
  expect(line).toMatch(/^✗ cabe-arena-api hung: 1 of 2 workers serve, 1 hung for \d+ s$/);
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
  expect(await headline(running)).toEqual([0, '✓ cabe-arena-api ready: 2 of 2 workers serve']);
});

test('a worker that crashes again and again is a crash loop, although another one serves', async () => {
  const running = await crashLooping();
  expect(await shown(running)).toBe(documented('A worker crashes again and again'));
  const [code, line] = await headline(running);
  expect(code).toBe(3);
  expect(line).toMatch(
    /^✗ cabe-arena-api crash-looping: 1 of 2 workers serve, \d+ restarts in the last minute$/,
  );
  const { text } = await running.command('status');
  expect(text).toMatch(/^0 .* backoff, next try in \d+ (ms|s) /m);
  expect(text).toMatch(
    /^ {2}why: slot 0 is in backoff, next try in \d+ m?s, restarted \d+ times in the last minute; last exit: \d+ exited \(code 1\): connect ECONNREFUSED 127\.0\.0\.1:5432 \(\d+ m?s ago, after \d+ m?s\)$/m,
  );
  const exits = (await statusOf(running)).workers[0]?.exits ?? [];
  expect(exits.length).toBeGreaterThanOrEqual(6);
  for (const { at, uptime, code: exitCode, error } of exits.slice(0, -1)) {
    expect([exitCode, error]).toEqual([1, 'connect ECONNREFUSED 127.0.0.1:5432']);
    expect(Math.abs(Date.now() - (at ?? 0))).toBeLessThan(60_000);
    expect(uptime).toBeGreaterThanOrEqual(300);
  }
  expect(exits.at(-1)).toMatchObject({ code: null, signal: 'SIGKILL', error: null });
  expect(titleOf(running)).toMatch(/^master crash-looping [12]\/2/);
});

test('a service without a worker that serves is down', async () => {
  const running = await down();
  expect(await shown(running)).toBe(documented('No worker serves'));
  const [code, line] = await headline(running);
  expect(code).toBe(4);
  expect(line).toMatch(/^✗ cabe-arena-api down: 0 of 2 workers serve, \d+ restarts in the last minute$/);
  running.crash();
  await until(async () => (await serving(running)).length === 2, 'both serve again');
  expect((await headline(running))[0]).toBe(3);
  expect((await running.command('reload')).code).toBe(0);
  expect((await headline(running))[0]).toBe(0);
});

test('no answer has an exit code of its own', async () => {
  const running = await healthy();
  running.kill('SIGTERM');
  await running.ended;
  expect((await headline(running))[0]).toBe(1);
});

test('a worker that was replaced for its memory is counted, with its size and the limit', async () => {
  const running = await replacedForMemory();
  expect(await shown(running)).toBe(documented('A worker was replaced for its memory'));
  expect(await headline(running)).toEqual([0, '✓ cabe-arena-api ready: 2 of 2 workers serve']);
  const { restartsLastMinute, workers } = await statusOf(running);
  expect([restartsLastMinute, workers[0]?.restarts, workers[1]?.restarts]).toEqual([0, 1, 0]);
  expect(workers[0]?.lastExit).toMatchObject({
    code: 0,
    signal: null,
    reason: expect.stringMatching(
      /^replaced at 3\d\d\.\d MB, more than max_memory_restart \(250\.0 MB\)$/,
    ) as string,
  });
});

test('a worker that outgrows max_memory_restart again is replaced again', async () => {
  const running = await replacedForMemory();
  const victim = await running.grow(300);
  await running.said(new RegExp(`^Worker ${victim} disconnected$`));
  expect((await statusOf(running)).workers[0]?.restarts).toBe(2);
});

test('after a failed reload the failed build is said to be in place, until a reload succeeds', async () => {
  const running = await failedReload();
  expect(await shown(running)).toBe(documented('A reload has failed'));
  const { lastReload } = await statusOf(running);
  expect(lastReload).toMatchObject({
    ok: false,
    advice: expect.stringContaining('still in place') as string,
  });
  running.repair();
  expect((await running.command('reload')).code).toBe(0);
  expect((await statusOf(running)).lastReload).toMatchObject({ ok: true, advice: null });
});

const MB = 2 ** 20;
const group = makeControlGroup({ memory: 400 * MB });

(group === undefined ? describe.skip : describe)('in a control group with a memory limit', () => {
  afterAll(() => group?.remove());

  test('a worker that the kernel kills is distinguished from other exits by SIGKILL', async () => {
    const running = await outOfMemory(group?.launcher ?? []);
    expect(await shown(running)).toBe(documented('The kernel killed a worker because memory ran out'));
    const { workers } = await statusOf(running);
    expect(workers[0]?.lastExit).toMatchObject({
      signal: 'SIGKILL',
      reason: 'exited (signal SIGKILL): killed by the kernel, out of memory',
    });
    const [, other = NaN] = await serving(running);
    process.kill(other, 'SIGKILL');
    await running.said(new RegExp(`^Worker ${other} exited \\(signal SIGKILL\\)$`));
    expect((await statusOf(running)).workers[1]?.lastExit?.reason).toBe('exited (signal SIGKILL)');
  });

  test('a max_memory_restart that is not below the limit is named at the start, with the limit and the cure', async () => {
    const running = await healthy({ max_memory_restart: '1G' }, group?.launcher);
    expect((await running.said(/^max_memory_restart/)).msg).toBe(
      'max_memory_restart (1024.0 MB) is not below the memory limit of the control group (400.0 MB): the kernel kills a worker before it is replaced. Set a smaller value for each worker, in numbers or as a share of the limit such as "80%" (which PM2 refuses)',
    );
  });

  test('a share of the limit replaces a worker before the kernel kills it', async () => {
    const running = await healthy({ max_memory_restart: '50%' }, group?.launcher);
    const victim = await running.grow(180);
    await running.said(new RegExp(`^Worker ${victim} exceeds max_memory_restart, .* limit 200\\.0 MB$`));
    await running.said(new RegExp(`^Worker ${victim} disconnected$`));
  });
});
