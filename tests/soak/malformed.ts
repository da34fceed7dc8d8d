/** Bursts of requests that are none. */
import net from 'node:net';
import type { Random } from './random.js';

/** What is sent, and whether the service has to refuse it: a half head may just wait. */
interface Malformed {
  readonly text: string;
  readonly isComplete: boolean;
}

const complete = (text: string): Malformed => ({ text, isComplete: true });

function malformed(random: Random): Malformed {
  const noise = Array.from({ length: random.between(1, 400) }, () =>
    String.fromCharCode(random.between(0, 255)),
  ).join('');
  return random.pick<Malformed>([
    complete(`${noise}\r\n\r\n`.replace(/^[\r\n]*/, '\0')),
    complete('GET /health HTTP/9.9\r\nHost: a\r\n\r\n'),
    complete('GET /health HTTP/1.1\r\n\r\n'),
    complete('GET /health HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n'),
    complete(`GET /health HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
    complete(
      'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ),
    complete('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'),
    complete('POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
    { text: 'GET /health HT', isComplete: false },
    { text: 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf', isComplete: false },
  ]);
}

/** How long a refusal may take on a machine under full load. */
const PATIENCE_MS = 60_000;

/** @returns what the service did wrong */
export async function burst(port: number, size: number, random: Random): Promise<string[]> {
  const sent = Array.from({ length: size }, () => malformed(random));
  const answers = await Promise.all(sent.map(one => answerTo(port, one)));
  return sent.flatMap(({ text, isComplete }, index) => {
    const answer = answers[index] ?? '';
    const isRefused = !isComplete || /^HTTP\/1\.1 4\d\d /.test(answer);
    return isRefused
      ? []
      : [`${JSON.stringify(text.slice(0, 60))} got ${JSON.stringify(answer.slice(0, 60))}`];
  });
}

/** What comes back until the connection is closed; a half request is broken off at once. */
function answerTo(port: number, { text, isComplete }: Malformed): Promise<string> {
  return new Promise(resolve => {
    let answer = '';
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write(text, 'latin1');
      if (!isComplete) socket.destroySoon();
    });
    const late = setTimeout(() => socket.destroy(), PATIENCE_MS);
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
    // A reset after the answer: the service does not read the rest.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(late);
      resolve(answer);
    });
  });
}
