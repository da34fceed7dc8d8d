/**
 * Answers a request whose connection Node has handed over for an upgrade that is not wanted. For Node before 24.9: later
 * ones leave such requests alone (`shouldUpgradeCallback`).
 *
 * Rests on `ServerResponse#assignSocket` and `shouldKeepAlive`, which are not documented; without them such a request is
 * refused with 501. `tests/worker/upgrades.test.ts` fails when a Node that needs them has changed them.
 */
import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';

const canAnswer = typeof (ServerResponse.prototype as Partial<ServerResponse>).assignSocket === 'function';

/** The parser is gone, so that a body could not be read any more. */
export function answerWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex): void {
  const { headers } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (hasBody || !canAnswer) return refuse(socket, '501 Not Implemented');
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(request.socket);
  // Unread, the end of a client that goes away would not be noticed.
  socket.resume();
  response.once('finish', () => end(socket));
  server.emit('request', request, response);
}

export const refuse = (socket: Duplex, status: string): void =>
  end(socket, `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);

/** Closes a connection that nothing reads any more: what the client still sends would keep it open for ever. */
function end(socket: Duplex, text = ''): void {
  socket.resume().end(text, () => socket.destroy());
}
