/** JSON over HTTP, as the threads of a service speak it on their sockets and on the management port. */
import type { IncomingMessage, ServerResponse } from 'node:http';

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

/** @returns nothing where the body is no JSON, or longer than so many bytes */
export async function jsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      // The rest is read, too: the connection must be free for the next request.
      if (bytes <= maxBytes) chunks.push(chunk);
    }
    return bytes > maxBytes ? undefined : (JSON.parse(Buffer.concat(chunks).toString()) as unknown);
  } catch {
    return undefined; // no JSON, or the client has gone away
  }
}
