/** Workers that are killed at the worst moment: the service goes on, and no zombie stays among its children. */
import { readdirSync, readFileSync } from 'node:fs';
import { cleanUp, CLUSTER, folder, freePort, start, until } from '../support/processes.js';
import {
  appFile,
  control,
  messages,
  OUR_FIELDS,
  OUR_WORKER,
  serving,
  statusOf,
  type Service,
} from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

/** A worker that tells when it has been forked, and takes a while to boot. */
const SLOW = `console.log('booting ' + process.pid); setTimeout(() => { ${OUR_WORKER} }, 500);`;

async function slowService(): Promise<Service & { readonly file: string }> {
  const file = appFile(SLOW, { ...OUR_FIELDS, min_uptime: 200 });
  const env = { PORT: String(await freePort()), RUN_DIR: folder() };
  const running = start([CLUSTER, '--config', file], env);
  return Object.assign(running, { port: Number(env.PORT), env, file });
}

/** Whether every slot has its worker again; after some crashes within a minute the service is no longer `ready`. */
const isReady = async (running: Service): Promise<boolean> => {
  const workers = await statusOf(running).then(
    status => status.workers,
    () => [],
  );
  return workers.length === 2 && workers.every(({ state }) => state === 'ready');
};

/** The pids that have been forked so far. */
const forked = (running: Service): number[] =>
  messages(running)
    .flatMap(line => /^booting (\d+)$/.exec(line)?.[1] ?? [])
    .map(Number);

/** Children that have ended and have not been buried (Linux). */
function zombiesOf(parent: number): string[] {
  return readdirSync('/proc').filter(pid => {
    try {
      const [state, ppid] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      return state === 'Z' && Number(ppid) === parent;
    } catch {
      return false; // no process, or gone
    }
  });
}

const noZombies = ({ pid }: Service): Promise<void> =>
  until(() => zombiesOf(pid).length === 0, 'every child that has ended is buried');

test('killed while it starts, it is replaced', async () => {
  const running = await slowService();
  const { msg } = await running.said(/^booting \d+$/);
  const victim = Number(msg.split(' ')[1]);
  process.kill(victim, 'SIGKILL');
  await running.said(new RegExp(`^Worker ${victim} exited \\(signal SIGKILL\\)$`));
  await until(() => isReady(running), 'the service is whole again');
  expect(await serving(running)).not.toContain(victim);
  await noZombies(running);
});

test('killed while it drains, it is not waited for, and the others drain on', async () => {
  const running = await slowService();
  await until(() => isReady(running), 'it serves');
  const [victim = 0] = await serving(running);
  running.kill('SIGTERM');
  process.kill(victim, 'SIGKILL');
  await running.said(new RegExp(`^Worker ${victim} disconnected$`));
  expect(await running.ended).toEqual({ code: 0, signal: null });
});

test('killed while it is being replaced, its successor takes the slot, and the reload continues', async () => {
  const running = await slowService();
  await until(() => isReady(running), 'it serves');
  const [victim = 0] = await serving(running);
  const reload = control(running, 'POST', '/reload');
  await until(() => forked(running).length === 3, 'the successor starts');
  process.kill(victim, 'SIGKILL');
  expect((await reload).status).toBe(200);
  expect(forked(running)).toHaveLength(4);
  expect((await statusOf(running)).workers.map(({ generation }) => generation)).toEqual([2, 2]);
  await noZombies(running);
});

test('a successor that is killed while it starts ends the reload, and costs nothing else', async () => {
  const running = await slowService();
  await until(() => isReady(running), 'it serves');
  const before = await serving(running);
  const reload = control(running, 'POST', '/reload');
  await until(() => forked(running).length === 3, 'the successor starts');
  process.kill(forked(running)[2] ?? 0, 'SIGKILL');
  expect((await reload).json()).toEqual({
    ok: false,
    reason: 'the new worker of slot 0 exited (signal SIGKILL) before it was ready',
    advice: expect.stringMatching(/^The failed build is still in place: /) as string,
  });
  expect(await serving(running)).toEqual(before);
  await noZombies(running);
});

test('one after the other, they leave no zombie', async () => {
  const running = await slowService();
  for (let killed = 0; killed < 5; killed++) {
    await until(async () => (await serving(running).catch(() => [])).length > 0, 'a worker serves');
    const [victim = 0] = await serving(running);
    process.kill(victim, 'SIGKILL');
    await running.said(new RegExp(`^Worker ${victim} exited \\(signal SIGKILL\\)$`));
  }
  await until(() => isReady(running), 'the service is whole again');
  await noZombies(running);
});
