/** JSON over HTTP, as the threads of a service speak it on their sockets and on the management port. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

/** One JSON value as the whole answer. */
export function answerJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json', ...headers })
    .end(`${JSON.stringify(body)}\n`);
}

/** @returns nothing where the body is no JSON, longer than so many bytes, or of a length that is not known beforehand */
export async function jsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  if (!(Number(request.headers['content-length']) <= maxBytes)) return undefined;
  try {
    return JSON.parse(await text(request)) as unknown;
  } catch {
    return undefined;
  }
}
