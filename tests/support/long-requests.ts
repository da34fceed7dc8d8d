/**
 * Requests that take a second: a download, an upload, and one pipelined behind a download that has begun. Our API has
 * none of them, so a worker under test gets their routes in front of its own ({@link LONG_ROUTES}).
 */
import http from 'node:http';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { failure, follow, giveUpAfter, type Trace } from './failures.js';

const PIECES = 20;
const EVERY_MS = 50;
const PIECE = `${'x'.repeat(4_095)}\n`;

/** JavaScript: `answersLong(request, response)` answers those requests, and tells whether it was one. */
export const LONG_ROUTES = `
function answersLong(request, response) {
  if (request.url === '/long/download') {
    let left = ${PIECES};
    const timer = setInterval(() => {
      response.write(${JSON.stringify(PIECE)});
      if (--left === 0) response.end();
    }, ${EVERY_MS});
    response.once('close', () => clearInterval(timer));
    return true;
  }
  if (request.url !== '/long/upload') return false;
  let size = 0;
  request.on('data', piece => (size += piece.length)).on('end', () => response.end(String(size)));
  return true;
}
`;

/** One of them, answered as it must be. */
export type LongRequest = (trace: Trace) => Promise<void>;

/** @param timeoutMs after which each of them has failed */
export function longRequests(
  host: string,
  port: number,
  timeoutMs: number,
): readonly [LongRequest, LongRequest, LongRequest] {
  async function download(trace: Trace): Promise<void> {
    const message = http.get({ host, port, path: '/long/download', agent: false });
    giveUpAfter(timeoutMs, message);
    await expectText(message, trace, PIECE.repeat(PIECES));
  }

  async function upload(trace: Trace): Promise<void> {
    const message = http.request({ host, port, path: '/long/upload', method: 'POST', agent: false });
    giveUpAfter(timeoutMs, message);
    Readable.from(slowly()).pipe(message);
    await expectText(message, trace, String(PIECE.length * PIECES));
  }

  /**
   * The second request is sent while the first is being answered, and answered as well; unless the first answer says
   * `close`, because its head was written before the second request had been read: that tells the client.
   */
  function pipelined(trace: Trace): Promise<void> {
    return new Promise((resolve, reject) => {
      let [text, wanted] = ['', 2];
      let second: NodeJS.Timeout | undefined;
      const socket = net.connect(port, host, () => {
        socket.write(head('/long/download'));
        second = setTimeout(() => socket.write(head('/health', 'Connection: close')), EVERY_MS / 3);
      });
      giveUpAfter(timeoutMs, socket);
      follow(trace, socket);
      socket.setEncoding('utf8').once('data', (piece: string) => {
        if (!/^Connection: close/m.test(piece)) return;
        clearTimeout(second);
        wanted = 1;
      });
      socket.on('data', (piece: string) => (text += piece));
      socket.on('error', reject);
      socket.on('close', () => {
        clearTimeout(second);
        const answers = text.match(/HTTP\/1\.1 200 /g)?.length ?? 0;
        const isWhole = wanted === 1 ? text.endsWith('0\r\n\r\n') : text.endsWith('}');
        if (answers === wanted && isWhole) resolve();
        else reject(failure('reset', `the connection ended after ${answers} of ${wanted} pipelined answers`));
      });
    });
  }

  return [download, upload, pipelined];
}

async function* slowly(): AsyncGenerator<string> {
  for (let piece = 0; piece < PIECES; piece++) {
    yield PIECE;
    await pause(EVERY_MS);
  }
}

const head = (path: string, header = 'Accept: */*'): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`;

function expectText(message: http.ClientRequest, trace: Trace, wanted: string): Promise<void> {
  return new Promise((resolve, reject) => {
    message.on('socket', socket => follow(trace, socket)).on('error', reject);
    message.on('response', response => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200 && text === wanted) resolve();
        else reject(failure('wrong answer', `${response.statusCode}, ${text.length} characters`));
      });
    });
  });
}
