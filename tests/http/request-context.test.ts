/** Lines that handlers log carry the ids of their request, however deep they are logged. */
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import express, { type Express, type Request } from 'express';
import request from 'supertest';
import { keepContext, observe } from '../../src/http/middleware.js';
import { setEachHeader } from '../../src/fast-path/preset-headers.js';
import { createLogger } from '../../src/utils/logger.js';
import { runOutsideRequests } from '../../src/utils/request-context.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const traceparent = `00-${TRACE}-${SPAN}-01`;

function setUp(route: (app: Express, log: (msg: string) => void) => void) {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const logger = createLogger({ env: 'production', output: { write, writeSoon: write } });
  const app = express().use(observe(logger, setEachHeader({})), express.json(), keepContext);
  route(app, msg => logger.info(msg));
  const line = (msg: string | RegExp): Record<string, unknown> =>
    lines
      .map(one => JSON.parse(one) as Record<string, unknown>)
      .find(found => (typeof msg === 'string' ? found['msg'] === msg : msg.test(String(found['msg'])))) ?? {};
  return { app, logger, line };
}

const idsOf = ({ requestId, trace_id: traceId, span_id: spanId }: Record<string, unknown>): unknown[] => [
  requestId,
  traceId,
  spanId,
];

const text = async (incoming: Request): Promise<void> => {
  incoming.resume();
  await once(incoming, 'end');
};

test.each<[string, (app: Express, log: (msg: string) => void) => void]>([
  ['at once', (app, log) => app.post('/', (_request, response) => (log('here'), void response.end()))],
  [
    'after an await',
    (app, log) =>
      app.post('/', async (_request, response) => {
        await nextTurn();
        log('here');
        response.end();
      }),
  ],
  [
    'in a timer',
    (app, log) =>
      app.post('/', (_request, response) => void setTimeout(() => (log('here'), response.end()), 1)),
  ],
])('a line that is logged %s, after the body was parsed', async (_name, route) => {
  const { app, line } = setUp(route);
  await request(app).post('/').set({ 'X-Request-Id': 'mine', traceparent }).send({ a: 1 });
  expect(idsOf(line('here'))).toEqual(['mine', TRACE, SPAN]);
});

test('a line that is logged when the body has come, which the handler reads itself', async () => {
  const { app, line } = setUp((routes, log) =>
    routes.post('/', (incoming, response) => {
      incoming.on('data', () => log('data')).on('end', () => (log('end'), response.end()));
    }),
  );
  await request(app).post('/').set('X-Request-Id', 'mine').type('text').send('hello');
  expect([idsOf(line('data')), idsOf(line('end'))]).toEqual([
    ['mine', undefined, undefined],
    ['mine', undefined, undefined],
  ]);
});

test('requests that overlap keep their own ids', async () => {
  let release = (): void => undefined;
  const both = new Promise<void>(resolve => (release = resolve));
  let waiting = 0;
  const { app, line } = setUp((routes, log) =>
    routes.post('/:name', async (incoming, response) => {
      await text(incoming);
      if (++waiting === 2) release();
      await both;
      log(`hello ${incoming.params['name']}`);
      response.end();
    }),
  );
  await Promise.all(['a', 'b'].map(id => request(app).post(`/${id}`).set('X-Request-Id', id).send('{}')));
  expect(['a', 'b'].map(id => line(`hello ${id}`)['requestId'])).toEqual(['a', 'b']);
});

test('the access line has the trace; an invalid one is ignored', async () => {
  const { app, line } = setUp(routes => routes.get('/:name', (_request, response) => void response.end()));
  await request(app).get('/good').set({ 'X-Request-Id': 'mine', traceparent });
  await request(app)
    .get('/bad')
    .set({ 'X-Request-Id': 'mine', traceparent: `00-${TRACE}-0-01` });
  expect(idsOf(line(/^GET \/good 200/))).toEqual(['mine', TRACE, SPAN]);
  expect(idsOf(line(/^GET \/bad 200/))).toEqual(['mine', undefined, undefined]);
});

test('fields of the line itself win, and a child logger has the ids, too', async () => {
  const { app, logger, line } = setUp(routes => {
    routes.get('/', (_request, response) => {
      logger.info({ span_id: 'of an agent' }, 'own');
      logger.child({ tenant: 'a' }).info('child');
      response.end();
    });
  });
  await request(app).get('/').set({ 'X-Request-Id': 'mine', traceparent });
  expect(idsOf(line('own'))).toEqual(['mine', TRACE, 'of an agent']);
  expect(line('child')).toMatchObject({ tenant: 'a', requestId: 'mine', trace_id: TRACE, span_id: SPAN });
});

test('what the worker does for itself has no ids, even when a request has been the cause', async () => {
  const { app, line } = setUp((routes, log) =>
    routes.get('/', (_request, response) => {
      runOutsideRequests(() => log('drain'));
      response.end();
    }),
  );
  await request(app).get('/');
  expect(line('drain')).not.toHaveProperty('requestId');
});
