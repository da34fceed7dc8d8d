/** What the management port streams to the live page, as a test reads it; it connects again when the stream ends. */
import http from 'node:http';
import type { LiveHistory, Lifecycle, LogLine, Moment } from '../../src/live/messages.js';

export interface LiveStream {
  readonly histories: LiveHistory[];
  readonly moments: Moment[];
  readonly lifecycle: Lifecycle[];
  readonly log: LogLine[];
  close(): void;
}

export function liveStream(port: number): LiveStream {
  const stream = { histories: [], moments: [], lifecycle: [], log: [] } as Omit<LiveStream, 'close'>;
  let request: http.ClientRequest;
  let isClosed = false;

  function take(block: string): void {
    const [, name, data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
    if (name === 'history') {
      const history = JSON.parse(data) as LiveHistory;
      stream.histories.push(history);
      // What happened while no stream was open.
      stream.lifecycle.push(...history.lifecycle);
    }
    if (name === 'moment') stream.moments.push(JSON.parse(data) as Moment);
    if (name === 'lifecycle') stream.lifecycle.push(JSON.parse(data) as Lifecycle);
    if (name === 'log') stream.log.push(JSON.parse(data) as LogLine);
  }

  function connect(): void {
    if (isClosed) return;
    request = http.get({ host: '127.0.0.1', port, path: '/live', agent: false }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const blocks = (text + chunk).split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) take(block);
      });
      response.on('error', () => undefined); // `close` follows
    });
    request.on('error', () => undefined).on('close', () => setTimeout(connect, 50));
  }

  connect();
  return {
    ...stream,
    close() {
      isClosed = true;
      request.destroy();
    },
  };
}
