import { isBuiltin } from 'node:module';
import request from 'supertest';
import { games } from '../src/routes/games.js';
import { createTestApp } from './support/test-app.js';

// Node 20 has no node:sqlite.
const withSqlite = isBuiltin('node:sqlite') ? describe : describe.skip;

process.env['DATABASE_FILE'] = ':memory:';
const open = async () => (await createTestApp({ features: [games] })).app;

withSqlite('games', () => {
  test('a game is added, listed and shown', async () => {
    const app = await open();
    const { status, headers, body } = await request(app).post('/api/games').send({ title: ' Go ' });
    expect([status, headers['location'], body]).toEqual([201, '/api/games/1', { id: 1, title: 'Go' }]);
    expect((await request(app).get('/api/games')).body).toEqual([{ id: 1, title: 'Go' }]);
    expect((await request(app).get('/api/games/1')).body).toEqual({ id: 1, title: 'Go' });
  });

  test('a game without a title, or of a title that is taken, is refused', async () => {
    const app = await open();
    const { status, body } = await request(app).post('/api/games').send({ title: '' });
    expect([status, body]).toMatchObject([422, { errors: [{ in: 'body', pointer: '#/title' }] }]);
    await request(app).post('/api/games').send({ title: 'Go' });
    expect((await request(app).post('/api/games').send({ title: 'Go' })).status).toBe(409);
  });

  test('an unknown game is 404, and an id that is none 400', async () => {
    const app = await open();
    expect((await request(app).get('/api/games/7')).status).toBe(404);
    expect((await request(app).get('/api/games/x')).status).toBe(400);
  });
});
