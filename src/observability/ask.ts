import { existsSync } from 'node:fs';
import http from 'node:http';
import type { Sibling } from './service-folder.js';

/** Longest answer that is read, in characters. */
const MAX_ANSWER = 4 * 1024 * 1024;

/** An answer, no listener any more, or no answer in time. */
export type Asked = { readonly text: string } | 'gone' | 'no answer';

const GONE = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET']);

/** GET on a Unix socket or on a port of this machine. Never rejects. */
export function ask(
  where: Pick<http.RequestOptions, 'socketPath' | 'host' | 'port'>,
  path: string,
  ms: number,
): Promise<Asked> {
  return new Promise(resolve => {
    const request = http.get({ ...where, path, agent: false, signal: AbortSignal.timeout(ms) }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_ANSWER) response.destroy();
      });
      response.on('error', () => undefined); // `close` follows
      response.on('close', () =>
        resolve(response.complete && response.statusCode === 200 ? { text } : 'no answer'),
      );
    });
    request.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
      resolve(GONE.has(code) ? 'gone' : 'no answer'),
    );
  });
}

/** @returns `left` if it has exited in order meanwhile: it has taken its socket away, which one that has died leaves */
export async function askSibling({ path }: Sibling, ms: number): Promise<Asked | 'left'> {
  const answer = await ask({ socketPath: path }, '/', ms);
  return typeof answer === 'string' && !existsSync(path) ? 'left' : answer;
}
