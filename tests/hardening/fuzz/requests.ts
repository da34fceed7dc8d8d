/** Random requests: valid ones, and valid ones with mistakes of every kind. The same seed and number give the same bytes. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { createRandom, type Random } from '../../soak/random.js';

/** How the bytes of a request reach the server. */
export type Delivery =
  | 'whole'
  /** In pieces, each sent when the system has taken the one before. */
  | 'pieces'
  /** The client stops sending behind the request, and reads on. */
  | 'half-closed'
  /** The client leaves in the middle of the request. */
  | 'left';

export interface FuzzedRequest {
  readonly number: number;
  readonly bytes: Buffer;
  readonly delivery: Delivery;
  /** How many answers are compared: more than one only for several well-formed requests on one connection. */
  readonly answers: number;
}

/** What the paths of the server under test are. */
export interface Target {
  readonly paths: readonly string[];
  /** Bodies that the server understands. */
  readonly bodies: readonly string[];
}

/** One in so many is a connection with several well-formed requests. */
const BATCHES = 0.04;

export function requestOf(seed: number, number: number, target: Target): FuzzedRequest {
  const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  if (random.chance(BATCHES)) return batch(random, number, target);
  const bytes = garbled(random, malformedOrNot(random, target));
  const delivery = random.chance(0.85)
    ? 'whole'
    : random.pick<Delivery>(['pieces', 'pieces', 'half-closed', 'left']);
  return { number, bytes, delivery, answers: 1 };
}

/** Well-formed requests, one behind the other; the last one closes. */
function batch(random: Random, number: number, { paths, bodies }: Target): FuzzedRequest {
  const answers = random.between(2, 6);
  const parts = Array.from({ length: answers }, (_, at) => {
    const path = random.pick(paths);
    const last = at === answers - 1 ? 'Connection: close\r\n' : '';
    if (random.chance(0.6)) return `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: n-${at}\r\n${last}\r\n`;
    const body = random.pick(bodies);
    return `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${last}\r\n${body}`;
  });
  return { number, bytes: Buffer.from(parts.join('')), delivery: random.pick(['whole', 'pieces']), answers };
}

const METHODS = 'GET GET GET GET HEAD POST POST POST PUT PATCH DELETE OPTIONS TRACE CONNECT'.split(' ');
const ODD_METHODS = [
  'get',
  'PROPFIND',
  'M-SEARCH',
  'PRI',
  'SOURCE',
  'QUERY',
  '',
  'G\0T',
  'GÉT',
  'GET\t',
  '{}',
];

const VERSIONS = [
  'HTTP/1.0',
  'HTTP/1.0',
  'HTTP/0.9',
  'HTTP/2.0',
  'HTTP/1.2',
  'HTTP/1.10',
  'http/1.1',
  'HTCPCP/1.0',
  '',
];

const PIECES_OF_PATHS = [
  '/', '//', '/.', '/..', '/%2e%2e', '/%2F', '/%', '/%zz', '/%c3%28', '/%00', '/é', '/a b', '/\\', '?', '?a=1', '?a[b]=1',
  '?__proto__[x]=1', '?token=secret', '?%', '?a=%zz', '&a=%F0%9F', '#f', ';a=1', '/{{7*7}}', "/'", '/"', '/<script>',
  '/\u001b[31m', '/%0d%0aSet-Cookie:a=1', '/constructor', '/__proto__', '/hasOwnProperty', '*', '/%E0%A4%A', '/%ed%a0%80',
] as const; // prettier-ignore

function targetOf(random: Random, paths: readonly string[]): string {
  const path = random.pick(paths);
  const more = (): string => random.pick(PIECES_OF_PATHS);
  switch (random.between(0, 11)) {
    case 0:
      return `http://${random.pick(['x', 'localhost:1', '[::1]', 'u:p@x', '', '%', 'x:99999'])}${path}`;
    case 1:
      return random.pick([
        '*',
        '',
        'x:443',
        'http:',
        '?',
        '#',
        'a',
        '/'.repeat(50),
        `/${'a/'.repeat(2_000)}`,
      ]);
    case 2:
      return `${path}${more()}${more()}${more()}`;
    case 3:
      return more() + path;
    case 4:
      return path
        .split('')
        .map(letter => (random.chance(0.5) ? letter.toUpperCase() : letter))
        .join('');
    case 5:
      return path
        .split('')
        .map(letter => (random.chance(0.2) ? `%${letter.charCodeAt(0).toString(16)}` : letter))
        .join('');
    case 6:
      return `${path}?${random.pick(['a', 'token', '%74oken', 'x'])}=${'v'.repeat(random.pick([1, 100, 9_000]))}`;
    default:
      return path;
  }
}

const NAMES = [
  'Accept', 'Accept-Encoding', 'Authorization', 'Cache-Control', 'Cookie', 'Date', 'Forwarded', 'From', 'If-Match',
  'If-Modified-Since', 'If-None-Match', 'If-Range', 'Keep-Alive', 'Max-Forwards', 'Origin', 'Pragma', 'Priority', 'Proxy',
  'Proxy-Connection', 'Range', 'Referer', 'TE', 'Traceparent', 'Trailer', 'User-Agent', 'Via', 'X-Forwarded-For',
  'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-HTTP-Method-Override', 'X-Request-Id', '__proto__', 'constructor', 'toString',
  'Content-Language', 'Content-MD5', 'Content-Range', 'Host', 'Connection', 'Expect', 'Upgrade', 'Content-Length',
] as const; // prettier-ignore

const VALUES = [
  '', ' ', 'x', '*', '"', '"a"', 'W/"a"', 'a, b', ',,,', '0', '-1', '1e9', '18446744073709551616', 'bytes=0-', 'bytes=9-1',
  'close', 'keep-alive', 'close, keep-alive', 'upgrade', 'gzip', 'identity;q=0', 'é', 'ünï', '\t', 'a\u0000b', 'a\u007fb',
  'a=1; b=2', 'a=%zz', '=', ';;;', 's:abc', 'j:{', 'Thu, 01 Jan 1970 00:00:00 GMT', 'Bearer abc', 'Basic %%%', '127.0.0.1',
  '::1, evil', '%0d%0aX: y', '../../etc', '${jndi:x}', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  '00-0-0-0', '100-continue', '200-maybe', 'h2c', 'websocket', 'TLS/1.0', '0 0', 'x:1', '[::1]', 'a b', 'a\r\n folded',
] as const; // prettier-ignore

function header(random: Random): string {
  const value = random.chance(0.02)
    ? random.pick(['v', 'a=1; ', ',', '%']).repeat(random.pick([500, 4_000, 9_000, 20_000]))
    : random.pick(VALUES);
  if (random.chance(0.05))
    return random.pick([
      `X y: ${value}`,
      `: ${value}`,
      `X${value}`,
      ` X: ${value}`,
      `X : ${value}`,
      `é: ${value}`,
      `X\0: 1`,
    ]);
  return `${random.pick(NAMES)}:${random.pick([' ', ' ', ' ', '', '\t', '   '])}${value}`;
}

const CHARSETS = ['utf-8', 'UTF-16', 'utf-16le', 'utf-7', 'latin1', 'x', '', '"utf-8"', 'utf-8; charset=x'];
const TYPES = [
  'application/json', 'application/json', 'application/json', 'application/json', 'APPLICATION/JSON', 'text/json',
  'application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x', 'application/problem+json', 'json',
  '/', 'application/json;', 'application/', '*/*', 'application/octet-stream',
] as const; // prettier-ignore

const BODIES = [
  '', '{}', '[]', 'null', '1', '"a"', '{', '{"a":', '{"__proto__":{"x":1}}', '{"constructor":{"prototype":{"x":1}}}', '[1,2',
  '{"a":1}}', ' {"a":1} ', '{"a":"\\ud800"}', '{"a":1e999}', "{'a':1}", '#{}', 'a=1&b=2', 'a[b][c]=1', 'a=%zz', '\ufeff{}',
  '\0', 'true', '{"a":"é"}', 'not json',
] as const; // prettier-ignore

function bodyOf(random: Random, bodies: readonly string[]): Buffer {
  const text = random.chance(0.4) ? random.pick(bodies) : random.pick(BODIES);
  switch (random.between(0, 11)) {
    case 0:
      return Buffer.from(Array.from({ length: random.between(0, 300) }, () => random.between(0, 255)));
    case 1:
      return Buffer.from('['.repeat(random.pick([10, 1_000, 40_000])));
    case 2:
      return Buffer.from(`{"a":"${'x'.repeat(random.pick([1_000, 102_390, 102_400, 110_000]))}"}`);
    case 3:
      return Buffer.from(text, random.pick(['utf16le', 'latin1', 'utf8']));
    default:
      return Buffer.from(text);
  }
}

/** With the name of the coding, which may be another one; or broken. */
function coded(random: Random, body: Buffer): readonly [lines: readonly string[], body: Buffer] {
  if (random.chance(0.7)) return [[], body];
  const name = random.pick([
    'gzip',
    'x-gzip',
    'deflate',
    'br',
    'zstd',
    'identity',
    'gzip, gzip',
    'GZIP',
    'nonsense',
    '',
  ]);
  const code = random.pick([
    gzipSync,
    gzipSync,
    deflateSync,
    deflateRawSync,
    brotliCompressSync,
    (given: Buffer) => given,
  ]);
  const large = random.chance(0.05) ? Buffer.alloc(300_000, ' ') : body;
  const packed = Buffer.from(code(large));
  if (random.chance(0.3) && packed.length > 0) {
    const at = random.between(0, packed.length - 1);
    packed.writeUInt8(packed.readUInt8(at) ^ (1 << random.between(0, 7)), at);
  }
  const sent = random.chance(0.15) ? packed.subarray(0, random.between(0, packed.length)) : packed;
  return [[`Content-Encoding: ${name}`], sent];
}

function chunked(random: Random, body: Buffer): Buffer {
  const parts: Buffer[] = [];
  const size = random.pick([1, 7, 100, 100_000]);
  for (let at = 0; at < body.length && parts.length < 200; at += size) {
    const part = body.subarray(at, at + size);
    const written = random.chance(0.03)
      ? random.pick(['g', '-1', '0x1', 'ffffffffffffffffff', '', ' 1', '1 ', '00000000000000001'])
      : part.length.toString(16);
    const extension = random.chance(0.1)
      ? random.pick([';a', ';a=1', ';a="b"', ';', ';é', `;${'x'.repeat(20_000)}`, ';a="\r\n'])
      : '';
    parts.push(
      Buffer.from(`${written}${extension}${random.chance(0.02) ? '\n' : '\r\n'}`),
      part,
      Buffer.from('\r\n'),
    );
  }
  const trailers = random.chance(0.15)
    ? random.pick([
        'X: 1\r\n',
        'Content-Length: 5\r\n',
        'Transfer-Encoding: x\r\n',
        'é\r\n',
        ': \r\n',
        `X: ${'y'.repeat(20_000)}\r\n`,
      ])
    : '';
  if (!random.chance(0.05)) parts.push(Buffer.from(`0\r\n${trailers}\r\n`));
  return Buffer.concat(parts);
}

/** Head lines that say how long the body is: rightly, wrongly, twice, against each other. */
function framed(random: Random, body: Buffer): readonly [lines: readonly string[], body: Buffer] {
  const length = `Content-Length: ${body.length}`;
  switch (random.between(0, 19)) {
    case 0:
      return [[length, length], body];
    case 1:
      return [[length, `Content-Length: ${body.length + 1}`], body];
    case 2:
      return [[length, 'Transfer-Encoding: chunked'], chunked(random, body)];
    case 3: {
      const values = [
        'identity',
        'gzip, chunked',
        'chunked, gzip',
        'xchunked',
        'chunked, chunked',
        'CHUNKED',
        ' chunked ',
        '',
      ];
      return [[`Transfer-Encoding: ${random.pick(values)}`], chunked(random, body)];
    }
    case 4:
      return [
        [
          `Content-Length: ${random.pick(['-1', '+1', '0x5', '1, 1', 'a', '', '1.0', '99999999999999999999', '1 1'])}`,
        ],
        body,
      ];
    case 5:
      return [[`Content-Length: ${Math.max(0, body.length - random.between(1, 3))}`], body];
    case 6:
      return [[`Content-Length: ${body.length + random.between(1, 3)}`], body];
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
      return [['Transfer-Encoding: chunked'], chunked(random, body)];
    case 12:
      return [[], body];
    default:
      return [[length], body];
  }
}

function malformedOrNot(random: Random, { paths, bodies }: Target): Buffer {
  const method = random.chance(0.05) ? random.pick(ODD_METHODS) : random.pick(METHODS);
  const version = random.chance(0.06) ? random.pick(VERSIONS) : 'HTTP/1.1';
  const lines = [`${method} ${targetOf(random, paths)} ${version}`];
  if (!random.chance(0.03)) lines.push('Host: x');
  if (random.chance(0.3)) lines.push('X-Request-Id: own-1');
  const count = random.chance(0.01) ? random.pick([50, 300, 2_500]) : random.between(0, 4);
  for (let n = 0; n < count; n++) lines.push(header(random));
  let body: Buffer = Buffer.alloc(0);
  if (random.chance(['GET', 'HEAD', 'OPTIONS'].includes(method) ? 0.1 : 0.9)) {
    const charset = random.chance(0.2) ? `; charset=${random.pick(CHARSETS)}` : '';
    if (!random.chance(0.05)) lines.push(`Content-Type: ${random.pick(TYPES)}${charset}`);
    const [coding, packed] = coded(random, bodyOf(random, bodies));
    const [framing, sent] = framed(random, packed);
    lines.push(...coding, ...framing);
    body = sent;
  }
  if (random.chance(0.03)) lines.push('Expect: 100-continue');
  if (random.chance(0.03))
    lines.push(
      `Connection: upgrade`,
      `Upgrade: ${random.pick(['websocket', 'h2c', 'x'])}`,
      'Sec-WebSocket-Key: eA==',
    );
  const end = random.chance(0.02) ? random.pick(['\n', '\r', '\n\r']) : '\r\n';
  return Buffer.concat([Buffer.from([...lines, '', ''].join(end), random.pick(['latin1', 'utf8'])), body]);
}

/** Now and then a few bytes are changed, removed, doubled or put in. */
function garbled(random: Random, bytes: Buffer): Buffer {
  if (!random.chance(0.08) || bytes.length === 0) return bytes;
  let result = Buffer.from(bytes);
  for (let times = random.between(1, 4); times > 0; times--) {
    const at = random.between(0, Math.min(result.length, 400));
    const [before, after] = [result.subarray(0, at), result.subarray(at)];
    switch (random.between(0, 3)) {
      case 0:
        result = Buffer.concat([before, after.subarray(random.between(1, 10))]);
        break;
      case 1:
        result = Buffer.concat([before, Buffer.from([random.between(0, 255)]), after]);
        break;
      case 2:
        result = Buffer.concat([before, after.subarray(0, random.between(1, 40)), after]);
        break;
      default:
        result = Buffer.concat([before, Buffer.from([random.between(0, 255)]), after.subarray(1)]);
    }
  }
  return result;
}
