/** What has happened to a service, as its supervisor tells those who show it. */
import type { Lifecycle } from '../../src/live/messages.js';
import type { EventList } from '../../src/supervisor/report/events.js';
import { hangingAppFile, hangPath } from '../support/hangs.js';
import { cleanUp, request, until } from '../support/processes.js';
import { control, service, serving, statusOf, type Service } from '../support/service.js';

jest.setTimeout(60_000);
afterEach(cleanUp);

const eventsOf = async (running: Service, after = 0): Promise<EventList> =>
  (await control(running, 'GET', `/events?after=${after}`)).json() as EventList;

/** Kind, slot and text, with N for every pid. */
const asLine = ({ kind, slot, text }: Lifecycle): string =>
  `${kind} ${slot ?? '-'} ${text.replace(/Worker \d+/, 'Worker N')}`;

test('start, crash with its reason, scale, reload, and who asks again gets what is new', async () => {
  const running = await service({ workers: 1 });
  const { last, events } = await eventsOf(running);
  expect(events.map(asLine)).toEqual(['start 0 Worker N starts in slot 0', 'ready 0 Worker N serves']);
  const [pid = 0] = await serving(running);
  expect(events.map(event => event.pid)).toEqual([pid, pid]);

  process.kill(pid, 'SIGKILL');
  await until(async () => {
    const [successor = pid] = await serving(running);
    return successor !== pid;
  }, 'it has a successor');
  expect((await eventsOf(running, last)).events.map(asLine)).toEqual([
    'crash 0 Worker N exited (signal SIGKILL)',
    'start 0 Worker N starts in slot 0',
    'ready 0 Worker N serves',
  ]);

  const { last: beforeScale } = await eventsOf(running);
  await control(running, 'POST', '/scale', JSON.stringify({ instances: 2 }));
  expect((await eventsOf(running, beforeScale)).events.map(asLine)).toEqual([
    'scale - Scaling from 1 to 2 workers',
    'start 1 Worker N starts in slot 1',
    'ready 1 Worker N serves',
  ]);

  const { last: beforeReload } = await eventsOf(running);
  await control(running, 'POST', '/reload');
  const reload = (await eventsOf(running, beforeReload)).events.map(asLine);
  expect(reload[0]).toBe('reload - Reloading 2 workers');
  expect(reload.at(-1)).toBe('reload - Reload finished');
  expect(reload.filter(text => text === 'stop 0 Worker N disconnected')).toHaveLength(1);
});

test('a hung worker that is killed', async () => {
  const running = await service({
    workers: 1,
    args: ['--config', hangingAppFile()],
    env: { WATCHDOG_TIMEOUT_MS: '2000' },
  });
  await request(running.port, hangPath('loop', 20_000));
  await until(async () => (await statusOf(running)).workers[0]?.lastExit !== null, 'it has been killed');
  const { events } = await eventsOf(running);
  const crash = events.find(({ kind }) => kind === 'crash');
  expect(crash).toMatchObject({
    slot: 0,
    text: expect.stringMatching(/signal SIGKILL\): hung for \d+ ms/) as string,
  });
});

test('a question that cannot be understood', async () => {
  const running = await service({ workers: 1 });
  expect((await control(running, 'GET', '/events?after=x')).status).toBe(400);
  expect((await control(running, 'POST', '/events')).status).toBe(405);
});
