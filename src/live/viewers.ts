/** Those who look at the live page: server-sent events, with an end to what is kept for a slow one. */
import type { ServerResponse } from 'node:http';

/** So many may look at the same time. */
export const MAX_VIEWERS = 20;

/** What may wait for one viewer beyond the history, in bytes; one that is slower is dropped, and connects again. */
const MAX_WAITING = 1024 * 1024;

export interface Viewers {
  readonly size: number;
  /** @param first what this viewer gets at once */
  add(response: ServerResponse, first: readonly string[]): void;
  send(messages: readonly string[]): void;
}

/** @param data JSON, without line ends */
export const message = (name: 'history' | 'moment' | 'lifecycle' | 'log', data: string): string =>
  `event: ${name}\ndata: ${data}\n\n`;

/** @param changed called with the number of viewers */
export function createViewers(changed: (size: number) => void): Viewers {
  /** With the bytes that each may leave unread. */
  const viewers = new Map<ServerResponse, number>();
  return {
    get size() {
      return viewers.size;
    },
    add(response, first) {
      const text = first.join('');
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      response.on('close', () => {
        viewers.delete(response);
        changed(viewers.size);
      });
      viewers.set(response, MAX_WAITING + Buffer.byteLength(text));
      changed(viewers.size);
      response.write(text === '' ? ':\n\n' : text);
    },
    send(messages) {
      if (messages.length === 0) return;
      const text = messages.join('');
      for (const [response, most] of viewers) {
        if (response.writableLength > most) response.destroy();
        else response.write(text);
      }
    },
  };
}
