/** A client that sends any bytes, and keeps what is answered. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { FuzzedRequest } from './requests.js';

/** How a connection went. */
export interface Outcome {
  /** The answers, made comparable; fewer than expected where the server waits or has closed. */
  readonly answers: readonly string[];
  /** What came that is no answer; empty for a server that speaks HTTP. */
  readonly rest: string;
  /**
   * `answered`: all that was expected. `closed`: by the server before that. `waiting`: for more of the request; it has
   * closed when the client stopped sending. `stuck`: not even then. `left`: the client has gone.
   */
  readonly end: 'answered' | 'closed' | 'waiting' | 'stuck' | 'left';
}

/** How long a server may take to close a connection whose client has stopped sending, in ms. */
const CLOSING_MS = 10_000;

/** Pieces of a slow request. */
const PIECES = 5;

/** @param quietMs how long nothing may come until the server is taken to wait for more */
export function converse(
  where: NetConnectOpts,
  { bytes, delivery, answers: expected }: FuzzedRequest,
  quietMs: number,
): Promise<Outcome> {
  return new Promise(resolve => {
    const socket = connect({ ...where, allowHalfOpen: true }).setNoDelay();
    let received = Buffer.alloc(0);
    let isWaiting = false;
    const isHead = bytes.subarray(0, 5).toString('latin1') === 'HEAD ';
    let timer = setTimeout(quiet, quietMs);

    function finish(end: Outcome['end']): void {
      clearTimeout(timer);
      socket.destroy();
      resolve({ ...split(received, expected, isHead, true), end });
    }
    function quiet(): void {
      if (isWaiting) return finish('stuck');
      isWaiting = true;
      timer = setTimeout(quiet, CLOSING_MS);
      socket.end();
    }
    socket.on('data', chunk => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      if (split(received, expected, isHead, false).answers.length >= expected) finish('answered');
      else if (!isWaiting) timer.refresh();
    });
    socket.on('error', () => undefined); // `close` follows
    socket.on('end', () => finish(isWaiting ? 'waiting' : 'closed'));
    socket.on('close', () => finish(isWaiting ? 'waiting' : 'closed'));
    void send(socket, bytes, delivery).then(() => delivery === 'left' && finish('left'));
  });
}

async function send(socket: Socket, bytes: Buffer, delivery: FuzzedRequest['delivery']): Promise<void> {
  if (delivery === 'whole') return void socket.write(bytes);
  if (delivery === 'half-closed') return void socket.end(bytes);
  const upTo = delivery === 'left' ? Math.floor(bytes.length / 2) : bytes.length;
  const size = Math.max(1, Math.ceil(upTo / PIECES));
  for (let at = 0; at < upTo && !socket.destroyed; at += size) {
    const piece = bytes.subarray(at, Math.min(at + size, upTo));
    await new Promise(resolve => socket.write(piece, resolve));
  }
}

/** Takes complete answers off the beginning. What the end of the connection completes is one where it has ended. */
function split(
  received: Buffer,
  limit: number,
  isHead: boolean,
  hasEnded: boolean,
): Pick<Outcome, 'answers' | 'rest'> {
  const text = received.toString('latin1');
  const answers: string[] = [];
  let at = 0;
  let interim = '';
  while (answers.length < limit) {
    const end = text.indexOf('\r\n\r\n', at);
    const head = text.slice(at, end < 0 ? undefined : end);
    if (end < 0 || !/^HTTP\/1\.1 \d{3}/.test(head)) break;
    const after = end + 4;
    const length = lengthOf(head, text.slice(after), isHead, hasEnded);
    if (length === undefined) break;
    const body = text.slice(after, after + length);
    at = after + length;
    if (head.startsWith('HTTP/1.1 1')) interim += `${head}\n`;
    else {
      answers.push(interim + comparable(head, body, isHead));
      interim = '';
    }
  }
  return { answers, rest: answers.length >= limit ? '' : text.slice(at) };
}

/** How much of the text is the body; nothing where some of it is missing. */
function lengthOf(head: string, text: string, isHead: boolean, hasEnded: boolean): number | undefined {
  const [, status = ''] = /^HTTP\/1\.1 (\d{3})/.exec(head) ?? [];
  if (isHead || status.startsWith('1') || status === '204' || status === '304') return 0;
  const [, given] = /^content-length: (\d+)\r?$/im.exec(head) ?? [];
  if (given !== undefined) return text.length >= Number(given) ? Number(given) : undefined;
  if (/^transfer-encoding: chunked\r?$/im.test(head)) {
    const [whole] = /^(?:[^]*?\r\n)?0\r\n\r\n/.exec(text) ?? [];
    return whole?.length;
  }
  return hasEnded ? text.length : undefined;
}

/** Without times, pids and given ids; the order of different headers means nothing (RFC 9110, 5.3). */
function comparable(head: string, body: string, isHead: boolean): string {
  const [status = '', ...lines] = head.split('\r\n');
  const own = lines.includes('X-Request-Id: own-1');
  const kept = lines.map(line =>
    line.replace(/^Date: .*/, 'Date: now').replace(/^(X-Request-Id:) (?!own-1$|n-\d$).*/, '$1 given'),
  );
  const same = body
    .replace(/"timestamp":"[^"]*"/, '"timestamp":"now"')
    .replace(/"uptime":[\d.e-]+/, '"uptime":0')
    .replace(/"worker":\d+/, '"worker":0');
  const text = own ? same : same.replace(/"requestId":"[^"]*"/, '"requestId":"given"');
  // A figure of other length has another length.
  const isDynamic = text !== body || isHead;
  return [
    status,
    ...kept.map(line => (isDynamic ? line.replace(/^(Content-Length:) \d+/, '$1 some') : line)).toSorted(),
    '',
    text,
  ].join('\n');
}
