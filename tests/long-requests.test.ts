/** The clients of the soak forgive nothing, and wait for nobody for ever. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { newTrace } from './support/failures.js';
import { longRequests } from './support/long-requests.js';

test('a long request that is never answered has timed out, whichever it is', async () => {
  const connections = new Set<net.Socket>();
  const mute = net.createServer(socket => void connections.add(socket.resume().on('error', () => undefined)));
  await once(mute.listen(0, '127.0.0.1'), 'listening');
  const { port } = mute.address() as AddressInfo;
  try {
    for (const request of longRequests('127.0.0.1', port, 100))
      await expect(request(newTrace())).rejects.toMatchObject({ kind: 'timed out' });
  } finally {
    for (const connection of connections) connection.destroy();
    mute.close();
  }
});
