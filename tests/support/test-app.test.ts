/** What `createTestApp` promises to the tests of features. */
import request from 'supertest';
import type { Feature, Resource } from '../../src/features/feature.js';
import { createTestApp } from './test-app.js';

const events: string[] = [];
const database: Resource<{ readonly name: string }> = {
  name: 'database',
  open: () => {
    events.push('open');
    return { name: 'real' };
  },
  close: () => events.push('close'),
};

const feature: Feature = {
  resources: [database],
  routes(router, { use, logger, draining }) {
    const { name } = use(database);
    router.get('/name', (_request, response) => {
      logger.info(`${name}, draining: ${draining.aborted}`);
      response.json({ name });
    });
  },
};

test('opens the resources; the log can be read, and the drain begun', async () => {
  const { app, lines, drain } = await createTestApp({ features: [feature] });
  expect((await request(app).get('/api/name')).body).toEqual({ name: 'real' });
  drain();
  await request(app).get('/api/name');
  expect(lines().map(({ msg }) => msg)).toEqual(
    expect.arrayContaining(['real, draining: false', 'real, draining: true']),
  );
});

test('has closed them after the test before', () => {
  expect(events).toEqual(['open', 'close']);
});

test('a resource can be replaced', async () => {
  const { app } = await createTestApp({ features: [feature], resources: [[database, { name: 'fake' }]] });
  expect((await request(app).get('/api/name')).body).toEqual({ name: 'fake' });
  expect(events).toEqual(['open', 'close']);
});
