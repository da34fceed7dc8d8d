/** Declaring endpoints: several methods of a path, validated input, the description that follows from both. */
import { execFileSync } from 'node:child_process';
import request from 'supertest';
import type { Express } from 'express';
import { z } from 'zod';
import type { Feature } from '../../src/features/feature.js';
import { methods } from '../../src/routes/methods.js';
import { validated } from '../../src/routes/validated.js';
import { ROOT } from '../support/processes.js';
import { createTestApp } from '../support/test-app.js';

async function appWith(
  routes: NonNullable<Feature['routes']>,
  env: Record<string, string> = {},
): Promise<Express> {
  return (await createTestApp({ features: [{ routes }], env })).app;
}

const Id = z.object({ id: z.coerce.number().int().positive() });
const Song = z.object({ title: z.string().min(1), tags: z.array(z.string()).optional() });
const Filter = z.object({ limit: z.coerce.number().int().max(100).default(10), q: z.string().optional() });

/** Plain handlers and validated ones on the same paths. */
const songs: NonNullable<Feature['routes']> = router => {
  methods(router, '/songs', {
    get: validated({ query: Filter, summary: 'All songs' }, ({ query }, _request, response) =>
      response.json({ limit: query.limit + 0 }),
    ),
    post: validated(
      { body: Song, answers: { 201: Song, 409: 'There is one of this title' } },
      ({ body }, _request, response) => response.status(201).json({ title: body.title.trim() }),
    ),
  });
  methods(router, '/songs/:id', {
    get: validated({ params: Id }, ({ params }, _request, response) => response.json(params)),
    put: validated({ params: Id, body: Song }, (valid, _request, response) => response.json(valid)),
    delete: (_request, response) => void response.status(204).end(),
  });
};

describe('methods', () => {
  test('GET, HEAD, POST on one path', async () => {
    const app = await appWith(songs);
    expect((await request(app).get('/api/songs?limit=5')).body).toEqual({ limit: 5 });
    expect((await request(app).head('/api/songs')).status).toBe(200);
    expect((await request(app).post('/api/songs').send({ title: ' a ' })).body).toEqual({ title: 'a' });
    expect((await request(app).delete('/api/songs/1')).status).toBe(204);
  });

  test('every other method is answered with 405, OPTIONS with 204, both with Allow', async () => {
    const app = await appWith(songs);
    const refused = await request(app).put('/api/songs');
    expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD, POST']);
    expect(refused.headers['content-type']).toMatch(/^application\/problem\+json/);
    const options = await request(app).options('/api/songs/1');
    expect([options.status, options.headers['allow'], options.text]).toEqual([
      204,
      'GET, HEAD, PUT, DELETE',
      '',
    ]);
  });

  test('a handler may follow others of its method only', async () => {
    const app = await appWith(router =>
      methods(router, '/songs', {
        get: [
          (_request, response, next) => {
            response.locals['n'] = 1;
            next();
          },
          (_request, response) => response.json(response.locals),
        ],
        post: (_request, response) => response.json(response.locals),
      }),
    );
    expect((await request(app).get('/api/songs')).body).toEqual({ n: 1 });
    expect((await request(app).post('/api/songs')).body).toEqual({});
  });

  test('a path that is declared twice is refused at the start', async () => {
    await expect(
      appWith(router => {
        methods(router, '/songs', { get: () => undefined });
        methods(router, '/songs', { post: () => undefined });
      }),
    ).rejects.toThrow('/songs is declared twice: declare all of its methods at once');
  });
});

describe('validated', () => {
  test('an invalid body is 422, with a pointer to each fault', async () => {
    const { status, body, headers } = await request(await appWith(songs))
      .post('/api/songs')
      .send({ title: '', tags: ['x', 1] });
    expect(status).toBe(422);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(body).toEqual({
      type: 'about:blank',
      title: 'Unprocessable Entity',
      status: 422,
      detail: 'The request is not valid',
      requestId: headers['x-request-id'],
      errors: [
        { in: 'body', pointer: '#/title', detail: expect.any(String) },
        { in: 'body', pointer: '#/tags/1', detail: expect.stringMatching(/string/) },
      ],
    });
  });

  test('invalid params or query are 400, and all faults are listed together', async () => {
    const app = await appWith(songs);
    const query = await request(app).get('/api/songs?limit=1000');
    expect([query.status, query.body]).toMatchObject([
      400,
      { errors: [{ in: 'query', pointer: '#/limit' }] },
    ]);
    const both = await request(app).put('/api/songs/x').send({});
    expect([both.status, both.body]).toMatchObject([
      400,
      {
        errors: [
          { in: 'params', pointer: '#/id' },
          { in: 'body', pointer: '#/title' },
        ],
      },
    ]);
  });

  test('no body is invalid; one that no parser reads is 415', async () => {
    const app = await appWith(songs);
    expect((await request(app).post('/api/songs')).status).toBe(422);
    const text = await request(app).post('/api/songs').set('Content-Type', 'text/plain').send('title');
    expect(text.status).toBe(415);
  });

  test('handlers get what the schemas make of the input', async () => {
    const { body } = await request(await appWith(songs))
      .put('/api/songs/7')
      .send({ title: 'a', more: true });
    expect(body).toEqual({ params: { id: 7 }, body: { title: 'a' } });
  });
});

describe('/openapi.json', () => {
  interface Description {
    readonly openapi: string;
    readonly paths: Readonly<Record<string, Readonly<Record<string, Record<string, unknown>>>>>;
  }

  /** The library is an ES module, which Jest on Node 20 cannot load. */
  function validate(description: unknown): unknown {
    const code = `import { Validator } from '@seriousme/openapi-schema-validator';
      const { valid, errors } = await new Validator().validate(JSON.parse(process.argv[1]));
      console.log(JSON.stringify({ valid, errors }));`;
    const output = execFileSync(
      process.execPath,
      ['--input-type=module', '-e', code, JSON.stringify(description)],
      { cwd: ROOT, encoding: 'utf8' },
    );
    return JSON.parse(output);
  }

  test('describes paths, input and answers, and is valid OpenAPI 3.1', async () => {
    const { body } = await request(await appWith(songs, { NODE_ENV: 'development' })).get('/openapi.json');
    const { openapi, paths } = body as Description;
    expect(validate(body)).toEqual({ valid: true });
    expect(openapi).toMatch(/^3\.1\./);
    expect(Object.entries(paths).map(([path, item]) => [path, Object.keys(item)])).toEqual([
      ['/health', ['get']],
      ['/livez', ['get']],
      ['/readyz', ['get']],
      ['/openapi.json', ['get']],
      ['/api/status', ['get']],
      ['/api/songs', ['get', 'post']],
      ['/api/songs/{id}', ['get', 'put', 'delete']],
    ]);
    expect(paths['/api/songs']?.['get']).toMatchObject({
      summary: 'All songs',
      parameters: [
        {
          name: 'limit',
          in: 'query',
          required: false,
          schema: { type: 'integer', maximum: 100, default: 10 },
        },
        { name: 'q', in: 'query', required: false, schema: { type: 'string' } },
      ],
    });
    expect(paths['/api/songs']?.['post']).toMatchObject({
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { type: 'object', required: ['title'] } } },
      },
      responses: {
        201: { content: { 'application/json': { schema: { type: 'object' } } } },
        409: { description: 'There is one of this title' },
        default: { content: { 'application/problem+json': {} } },
      },
    });
    expect(paths['/api/songs/{id}']?.['delete']).toMatchObject({
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
    });
  });

  test.each([
    [{ NODE_ENV: 'production' }, 404],
    [{ NODE_ENV: 'production', OPENAPI: 'on' }, 200],
    [{ NODE_ENV: 'development', OPENAPI: 'off' }, 404],
  ])('with %p it is answered with %i', async (env, status) => {
    expect((await request(await appWith(songs, env)).get('/openapi.json')).status).toBe(status);
  });
});
