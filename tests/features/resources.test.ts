/** Resources: opened in order, checked for `/readyz`, closed in reverse order. */
import request from 'supertest';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import type { Resource } from '../../src/features/feature.js';
import { closeAll, createResources } from '../../src/features/resources.js';
import { createLogger } from '../../src/utils/logger.js';

const config = readConfig({ NODE_ENV: 'production' });

function setUp() {
  const lines: { level: number; msg: string }[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as { level: number; msg: string });
  const logger = createLogger({ env: 'production', output: { write, writeSoon: write } });
  return { lines, logger, resources: createResources(config, logger) };
}

/** A resource whose value is its name, and what happens to it. */
function named(name: string, events: string[], more: Partial<Resource<string>> = {}): Resource<string> {
  return {
    name,
    open() {
      events.push(`open ${name}`);
      return name;
    },
    close: () => events.push(`close ${name}`),
    ...more,
  };
}

test('are opened in order and closed in reverse order, each once', async () => {
  const { resources, logger } = setUp();
  const events: string[] = [];
  const database = named('database', events);
  const queue = named('queue', events, {
    open: ({ use }) => {
      events.push(`open queue on ${use(database)}`);
      return 'queue';
    },
  });
  await resources.open([{ resources: [database] }, { resources: [database, queue] }]);
  expect([resources.use(database), resources.use(queue)]).toEqual(['database', 'queue']);
  expect(await closeAll(resources.closeHooks, 1_000, logger)).toBe(true);
  expect(events).toEqual(['open database', 'open queue on database', 'close queue', 'close database']);
});

test('one that is not listed cannot be used', () => {
  const { resources } = setUp();
  expect(() => resources.use(named('database', []))).toThrow(/database is not open/);
});

test.each<[string, Resource<unknown>, string]>([
  ['rejects', named('database', [], { open: () => Promise.reject(new Error('refused')) }), 'refused'],
  [
    'fails at every address of a name',
    named('database', [], { open: () => Promise.reject(new AggregateError([new Error('refused')])) }),
    'refused',
  ],
  [
    'takes too long',
    named('database', [], { open: () => new Promise(() => undefined), openTimeoutMs: 5 }),
    'not done within 5 ms',
  ],
])('one that %s is named, and those before it can be closed', async (_how, failing, reason) => {
  const { resources } = setUp();
  const opening = resources.open([{ resources: [named('queue', []), failing] }]);
  await expect(opening).rejects.toMatchObject({
    code: 'RESOURCE_NOT_OPENED',
    message: `The resource database could not be opened: ${reason}`,
    exitCode: 1,
  });
  expect(resources.closeHooks.map(({ name }) => name)).toEqual(['queue']);
});

test('without a check there is nothing to ask', async () => {
  const { resources } = setUp();
  await resources.open([{ resources: [named('queue', [])] }]);
  expect(resources.check).toBeUndefined();
});

test('/readyz answers 503 and the names while one is unavailable; the log has one line for each change', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'clearTimeout'] });
  const { resources, logger, lines } = setUp();
  let isUp = false;
  let count = 0;
  const check = async (): Promise<void> => {
    count++;
    if (!isUp) throw new Error('gone');
  };
  await resources.open([{ resources: [named('queue', []), named('database', [], { check })] }]);
  const app = createApp({ config, logger, readiness: () => 'ready', check: resources.check });
  const ask = async (): Promise<unknown> => (await request(app).get('/readyz')).body;
  const reported = (): string[] => lines.map(({ msg }) => msg).filter(msg => /resource/i.test(msg));

  expect(await Promise.all([ask(), ask()])).toEqual(
    Array.from({ length: 2 }, () => ({ status: 'unavailable', unavailable: ['database'] })),
  );
  isUp = true;
  expect(await ask()).toMatchObject({ status: 'unavailable' });
  expect(count).toBe(1);
  jest.advanceTimersByTime(1_000);
  expect(await ask()).toEqual({ status: 'ready' });
  expect(count).toBe(2);
  expect(reported()).toEqual([
    'Resource database is unavailable; /readyz answers 503',
    'Resource database is available again',
  ]);
  expect((await request(app).get('/livez')).status).toBe(200);
  jest.useRealTimers();
});
