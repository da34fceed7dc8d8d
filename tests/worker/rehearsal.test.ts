/** What a standby does while it waits: its app answers before anybody has asked. */
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { createLogger } from '../../src/utils/logger.js';
import { NOWHERE, rehearse } from '../../src/worker/rehearsal.js';
import { createServer } from '../../src/worker/server.js';

test.each(['on', 'off'])('the app answers, and nothing stays open; EXPRESS_TUNING=%s', async tuning => {
  const config = readConfig({ EXPRESS_TUNING: tuning });
  const logger = createLogger({ env: 'production', output: NOWHERE });
  const server = createServer(createApp({ config, logger, readiness: () => 'starting' }), config);
  const answers: number[] = [];
  let open = 0;
  server.on('connection', socket => {
    open++;
    socket.once('close', () => open--);
  });
  server.on('request', (_request, response) => {
    response.once('finish', () => answers.push(response.statusCode));
  });
  await rehearse(server);
  expect(answers).toEqual([200, 404, 200, 404, 200, 404]);
  await new Promise(setImmediate);
  expect(open).toBe(0);
  expect(server.listening).toBe(false);
});
