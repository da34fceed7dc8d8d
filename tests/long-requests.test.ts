/** The long requests of the soak time out. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { newTrace } from './support/failures.js';
import { longRequests } from './support/long-requests.js';

test('a long request of any kind times out if it is never answered', async () => {
  const connections = new Set<net.Socket>();
  const server = net.createServer(
    socket => void connections.add(socket.resume().on('error', () => undefined)),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    for (const request of longRequests('127.0.0.1', port, 100))
      await expect(request(newTrace())).rejects.toMatchObject({ kind: 'timed out' });
  } finally {
    for (const connection of connections) connection.destroy();
    server.close();
  }
});
