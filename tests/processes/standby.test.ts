/** A warm standby in real life: the seat of the only worker is filled by one that is loaded already. */
import { cleanUp, request, until } from '../support/processes.js';
import { control, loadedStandby, messages, served, service, type Service } from '../support/service.js';
import { strictClient } from '../support/strict-client.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

async function withStandby(): Promise<{ running: Service; standby: number }> {
  const running = await service({ workers: 1, env: { WARM_STANDBY: 'on' } });
  return { running, standby: await loadedStandby(running) };
}

test('it takes over from a worker that is killed, with the variables of the seat, and another one stands by', async () => {
  const { running, standby } = await withStandby();
  const [victim = NaN] = served(running);
  const client = strictClient({ port: running.port, keptAlive: 0, newEveryMs: 8, timeoutMs: 15_000 });
  await until(() => client.sent > 10, 'there is load');
  const open = client.opened;
  process.kill(victim, 'SIGKILL');
  await until(() => served(running).includes(standby), 'it serves');
  expect(((await request(running.port, '/health')).json() as { worker: number }).worker).toBe(standby);
  const { failures, sent, answered } = await client.stop();
  const { reset = 0, ...others } = failures;
  expect(others).toEqual({});
  expect(reset).toBeLessThanOrEqual(open + 2);
  expect(answered).toBe(sent - reset);

  expect(messages(running)).toContain(`Worker ${standby} stood by, and takes over slot 0`);
  expect(messages(running).filter(line => line.startsWith('Forking worker'))).toHaveLength(1);
  await loadedStandby(running, standby);
  // What it has rehearsed is nobody's request.
  expect(running.text()).not.toMatch(/rehearsal|livez/);
});

test('it follows a reload, serves nobody meanwhile, and leaves with the service', async () => {
  const { running, standby } = await withStandby();
  expect((await control(running, 'POST', '/reload')).status).toBe(200);
  await loadedStandby(running, standby);
  expect(served(running)).not.toContain(standby);
  running.kill();
  expect(await running.ended).toEqual({ code: 0, signal: null });
  expect(messages(running).at(-1)).toBe('All workers disconnected, master process exiting');
});
