/** A client that keeps every byte. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly version?: '1.0' | '1.1';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** How long a server may say nothing. */
const PATIENCE_MS = 4_000;

/** Ends the connection after anything that came before: then the server has nothing left to send. */
const LAST = 'GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: last\r\nConnection: close\r\n\r\n';

/** The request as it goes over the wire; its id is given, so that two answers can be compared. */
function wire({ method = 'GET', path = '/', version = '1.1', headers = {}, body = '' }: Ask): string {
  const length = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const lines = Object.entries({ Host: 'x', 'X-Request-Id': 'the-id', ...headers, ...length });
  return [`${method} ${path} HTTP/${version}`, ...lines.map(line => line.join(': ')), '', body].join('\r\n');
}

/** All that a server says to this request and to one more on the same connection, without the time. */
export async function converse(server: Server, ask: Ask = {}): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('latin1');
    let said = '';
    socket.on('data', (chunk: string) => (said += chunk));
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`the server said no more than\n${said}`)));
    socket.write(wire(ask) + LAST);
    await once(socket, 'close');
    return said.replaceAll(/^Date: .*$/gm, 'Date: now');
  } finally {
    server.close().closeAllConnections();
  }
}

/** The same with the lines of every head in one order: that of different headers means nothing (RFC 9110, 5.3). */
export function sorted(said: string): string {
  return said.replaceAll(
    /(HTTP\/1\.1 .*\r\n)([^]*?\r\n)\r\n/g,
    (_head, status: string, lines: string) => `${status}${lines.split('\r\n').toSorted().join('\r\n')}\r\n`,
  );
}
