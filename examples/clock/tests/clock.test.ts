import request from 'supertest';
import { clock } from '../src/routes/clock.js';
import { createTestApp } from './support/test-app.js';

test('tells the time until the drain begins', async () => {
  const { app, drain } = await createTestApp({ features: [clock] });
  const { headers, text } = await request(app)
    .get('/api/clock')
    .buffer(true)
    .parse((response, done) => {
      let all = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        all += piece;
        drain();
      });
      response.on('end', () => done(null, all));
    })
    .then(({ headers: its, body }) => ({ headers: its, text: body as string }));
  expect(headers['content-type']).toBe('text/event-stream');
  expect(text).toMatch(/^data: \d{4}-.*Z\n\n$/);
});
