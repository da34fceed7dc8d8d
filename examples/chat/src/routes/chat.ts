import { WebSocketServer } from 'ws';
import type { Feature } from '../features/feature.js';

/** A WebSocket at `/api/chat`: each message goes to all who are connected to this worker. */
export const chat: Feature = {
  upgrades({ draining, logger }) {
    const server = new WebSocketServer({ noServer: true });
    draining.addEventListener('abort', () => {
      for (const client of server.clients) client.close(1012, 'restart');
    });
    return {
      '/api/chat': (request, socket, head) =>
        server.handleUpgrade(request, socket, head, client => {
          client.on('error', error => logger.warn({ err: error }, 'WebSocket failed'));
          client.on('message', (data, binary) => {
            for (const other of server.clients) other.send(data, { binary });
          });
        }),
    };
  },
};
