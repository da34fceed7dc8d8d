/** The worker's side of `pm2 trigger`. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { offerActions, type Pm2Port } from '../../src/diagnostics/pm2-actions.js';

test('nothing is thrown where PM2 leaves while an action runs', async () => {
  let order: (message: unknown) => void = () => undefined;
  const sent: [type: unknown, isGuarded: boolean][] = [];
  await new Promise<void>(resolve => {
    const port: Pm2Port = {
      // As `process.send`: it emits an error that nothing catches, unless it may call back.
      send(message: { type?: unknown }, _handle, _options, done) {
        sent.push([message.type, typeof done === 'function']);
        if (message.type === 'axm:reply') resolve();
      },
      on: (_event, listener) => (order = listener),
    };
    offerActions(join(tmpdir(), 'no-such.sock'), port);
    order('cpu');
  });
  expect(sent).toEqual(['axm:action', 'axm:action', 'axm:action', 'axm:reply'].map(type => [type, true]));
});
