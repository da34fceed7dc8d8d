import type { Feature } from '../features/feature.js';

/** `GET /api/clock`: the time every second, as server-sent events. */
export const clock: Feature = {
  routes(router, { draining }) {
    router.get('/clock', (_request, response) => {
      // The connection ends with the answer, so that the drain need not wait for another request on it.
      response.writeHead(200, { 'Content-Type': 'text/event-stream', Connection: 'close' });
      const send = (): boolean => response.write(`data: ${new Date().toISOString()}\n\n`);
      const end = (): void => void response.end();
      const timer = setInterval(send, 1_000);
      send();
      draining.addEventListener('abort', end, { once: true });
      response.once('close', () => {
        clearInterval(timer);
        draining.removeEventListener('abort', end);
      });
    });
  },
};
