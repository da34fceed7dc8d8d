import { z } from 'zod';
import { database } from '../database.js';
import type { Feature } from '../features/feature.js';
import { Problem } from '../http/problems.js';
import { methods } from './methods.js';
import { validated } from './validated.js';

const NewGame = z.object({ title: z.string().trim().min(1).max(100) });
const Game = NewGame.extend({ id: z.int() });
const Id = z.object({ id: z.coerce.number().int().positive() });
const Page = z.object({ limit: z.coerce.number().int().min(1).max(100).default(20) });

export const games: Feature = {
  resources: [database],
  routes(router, { use, logger }) {
    const db = use(database);
    const list = db.prepare('SELECT id, title FROM games ORDER BY id LIMIT ?');
    const one = db.prepare('SELECT id, title FROM games WHERE id = ?');
    const add = db.prepare('INSERT INTO games (title) VALUES (?) ON CONFLICT DO NOTHING RETURNING id, title');

    methods(router, '/games', {
      get: validated({ query: Page, answers: { 200: z.array(Game) } }, ({ query }, _request, response) =>
        response.json(list.all(query.limit)),
      ),
      post: validated(
        { body: NewGame, answers: { 201: Game, 409: 'There is a game of this title' } },
        ({ body }, _request, response) => {
          const game = add.get(body.title) as z.infer<typeof Game> | undefined;
          if (game === undefined) throw new Problem(409, `There is a game called ${body.title}`);
          logger.info({ game }, 'Game added');
          response.status(201).location(`/api/games/${game.id}`).json(game);
        },
      ),
    });
    methods(router, '/games/:id', {
      get: validated({ params: Id, answers: { 200: Game } }, ({ params }, _request, response) => {
        const game = one.get(params.id);
        if (game === undefined) throw new Problem(404, `There is no game ${params.id}`);
        response.json(game);
      }),
    });
  },
};
