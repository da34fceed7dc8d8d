/**
 * Random attacks of a worker on its channel: proper and broken messages, ones that only Node or node:cluster send, with
 * and without handles, floods, and ends in the middle. The same seed and number give the same attack.
 */
import { createRandom, type Random } from '../../soak/random.js';

/** What is sent with a text, as SCM_RIGHTS. */
export const HANDLES = ['server', 'bound', 'socket', 'accepted', 'pipe-server', 'pipe', 'dgram'] as const;
export type Handle = (typeof HANDLES)[number];

export type Step =
  /** These bytes (latin1), so many times one after the other; a handle goes with each. */
  | { readonly do: 'write'; readonly text: string; readonly times: number; readonly handle?: Handle }
  /** `process.send`, as an honest program sends a handle. */
  | { readonly do: 'send'; readonly message: string; readonly handle: Handle }
  /** What follows comes with another read of the supervisor. */
  | { readonly do: 'wait' }
  | { readonly do: 'disconnect' }
  /** At once, with whatever is still to be read. */
  | { readonly do: 'end'; readonly how: 'exit' | 'SIGKILL' };

export interface Attack {
  readonly number: number;
  readonly steps: readonly Step[];
}

/** Other ports than these are not asked for: that of the service must stay the service's. */
const PORTS = [0, 1, 9, 65_535];

// prettier-ignore
const WORDS = [
  '', ' ', 'ready', 'shutdown', 'cabe:busy', 'NODE_', 'NODE_HANDLE', 'NODE_CLUSTER', '127.0.0.1', '::', '::1', 'localhost',
  '0.0.0.0', 'fe80::1', '256.1.1.1', 'nowhere.invalid', '/', '/proc/self/fd/0', './x.sock', 'udp4', 'udp6', 'net.Server',
  '__proto__', 'constructor', 'toString', 'valueOf', 'then', 'toJSON', '\0', '\u001b[31m', '\ud800', '\u{1f600}', '\r\n', '%s%d',
  'x'.repeat(300), 'x'.repeat(5_000), 'a\n'.repeat(2_000),
];

// prettier-ignore
const NUMBERS = [
  0, -0, 1, -1, 2, 3, 4, 255, 256, 511, 65_535, 65_536, 99_999, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53, 1e21,
  1e308, -1e308, 0.1, 1.5, -0.5,
];

const KEYS = [
  '__proto__',
  'constructor',
  'type',
  'cmd',
  'act',
  'ack',
  'seq',
  'key',
  'msg',
  'data',
  'length',
  'own',
  '',
];

/** Descriptors that the supervisor has open, or may have, and what is none. */
const DESCRIPTORS: readonly unknown[] = [null, 0, 1, 2, 3, 10, 17, 21, -1, '3', {}];

/** A value of JSON. */
function value(random: Random, depth = 0): unknown {
  const kind = random.between(0, depth > 3 ? 4 : 8);
  if (kind <= 1) return random.pick(WORDS);
  if (kind === 2) return random.pick(NUMBERS);
  if (kind === 3) return random.chance(0.5);
  if (kind === 4) return null;
  const parts = Array.from({ length: random.between(0, 4) }, () => value(random, depth + 1));
  if (kind <= 6) return parts;
  return Object.fromEntries(parts.map(part => [random.pick(random.chance(0.5) ? KEYS : WORDS), part]));
}

type Fields = Record<string, unknown>;

/** Every message that a worker of ours sends, and those that only the supervisor sends. */
const ours = (random: Random): Fields =>
  random.pick<() => Fields>([
    () => ({ type: 'cabe:boot-failed', code: random.pick([0, 1, 3, 255]), message: random.pick(WORDS) }),
    () => ({ type: 'cabe:draining', code: random.pick([0, 1]), reason: random.pick(WORDS) }),
    () => ({ type: 'cabe:listener.wanted', port: random.pick(PORTS), host: random.pick(WORDS) }),
    () => ({ type: 'cabe:usage', rss: random.pick(NUMBERS), cpuMs: random.pick(NUMBERS) }),
    () => ({ type: 'cabe:busy' }),
    () => ({ type: 'cabe:heartbeat.lost' }),
    () => ({ type: 'cabe:listener', error: { code: 'EACCES', message: random.pick(WORDS) } }),
    () => ({ type: 'cabe:listener.lent', slot: 0 }),
    () => ({ type: 'cabe:retire' }),
    () => ({ type: 'cabe:heartbeat.start', record: 0, file: '/proc/self/mem', pace: 'fast' }),
    () => ({ type: 'axm:monitor', data: { own: { value: random.pick(WORDS), unit: 's' } } }),
    () => ({ type: 'process:msg', data: value(random) }),
  ])();

/** Of these the later ones refer to the earlier ones, as an honest worker does. */
const key = (random: Random): string =>
  `${random.pick(['127.0.0.1', 'localhost', 'null', '::1'])}:${random.pick(PORTS)}:4:undefined:${random.between(0, 2)}`;

/** A request for a socket of node:cluster. */
function query(random: Random): Fields {
  const asked = {
    cmd: 'NODE_CLUSTER',
    act: 'queryServer',
    seq: random.between(0, 9),
    index: random.between(0, 2),
  };
  const flags = random.pick([0, 0, 1, 2 ** 31]);
  return random.pick<() => Fields>([
    () => ({
      ...asked,
      address: random.pick(['127.0.0.1', '::1', null, '::']),
      port: random.pick(PORTS),
      addressType: 4,
      flags,
    }),
    () => ({ ...asked, address: '127.0.0.1', port: 0, addressType: 4 }),
    () => ({
      ...asked,
      address: random.pick(['localhost', 'nowhere.invalid', 'x']),
      port: 0,
      addressType: 4,
    }),
    () => ({
      ...asked,
      address: './own.sock',
      port: -1,
      addressType: -1,
      readableAll: true,
      writableAll: random.chance(0.5),
    }),
    () => ({
      ...asked,
      address: random.pick(['127.0.0.1', null, '::1', 'localhost']),
      port: 0,
      addressType: random.pick(['udp4', 'udp6']),
      flags,
    }),
    () => ({
      ...asked,
      address: random.pick(WORDS),
      port: random.pick(NUMBERS),
      addressType: random.pick([4, 6, -1, 'udp4', 7]),
    }),
    () => ({ ...asked, address: null, port: null, addressType: null, fd: random.pick(DESCRIPTORS) }),
    () => ({
      ...asked,
      address: '127.0.0.1',
      port: 0,
      addressType: 4,
      data: 'x'.repeat(random.pick([10, 100_000])),
    }),
  ])();
}

const ofCluster = (random: Random): Fields =>
  random.pick<() => Fields>([
    () => query(random),
    () => query(random),
    () => query(random),
    () => ({ cmd: 'NODE_CLUSTER', act: 'close', key: key(random) }),
    () => ({
      cmd: 'NODE_CLUSTER',
      act: random.pick([
        'online',
        'exitedAfterDisconnect',
        'disconnect',
        'newconn',
        '__proto__',
        'toString',
        'constructor',
      ]),
      seq: 1,
    }),
    () => ({
      cmd: 'NODE_CLUSTER',
      act: 'listening',
      address: random.pick(WORDS),
      port: random.pick(NUMBERS),
      addressType: 4,
    }),
    () => ({ cmd: 'NODE_CLUSTER', ack: random.between(0, 40), accepted: random.chance(0.5) }),
  ])();

const TYPES = [
  'net.Native',
  'net.Server',
  'net.Socket',
  'dgram.Native',
  'dgram.Socket',
  'nonsense',
  '__proto__',
  'toString',
];

const ofNode = (random: Random): Fields =>
  random.pick<() => Fields>([
    () => envelope(random),
    () => envelope(random),
    () => envelope(random),
    () => ({ cmd: random.pick(['NODE_HANDLE_ACK', 'NODE_HANDLE_NACK']) }),
    () => ({
      cmd: random.pick(['NODE_SOCKET_NOTIFY_CLOSE', 'NODE_SOCKET_ALL_CLOSED', 'NODE_SOCKET_GET_COUNT']),
      key: random.pick(['a', '4:null:0']),
    }),
    () => ({ cmd: random.pick(['NODE_', 'NODE_x', 'NODE_HANDLE2']), msg: value(random) }),
  ])();

/** What Node puts a message into that has a handle. */
function envelope(random: Random): Fields {
  const type = random.pick(TYPES);
  const inner = random.pick<unknown>([
    { own: 1 },
    'ready',
    null,
    value(random),
    ours(random),
    random.chance(0.3) ? ofNode(random) : {},
  ]);
  const more = random.pick<Fields>([
    {},
    {},
    { key: random.pick(['a', 'b', '4:null:0', '__proto__']) },
    { dgramType: random.pick<unknown>(['udp4', 'udp6', 'udp9', { type: 'udp4' }, null]) },
  ]);
  return { cmd: 'NODE_HANDLE', type, msg: inner, ...more };
}

/** Fields are lost, doubled, of another type, at another place. */
function mangled(fields: Fields, random: Random): Fields {
  const names = Object.keys(fields);
  const name = random.pick(names);
  const { [name]: _lost, ...others } = fields;
  return random.pick<() => Fields>([
    () => others,
    () => ({ ...fields, [name]: value(random) }),
    () => ({ ...fields, [name]: random.pick(NUMBERS) }),
    () => ({ ...fields, [name]: [fields[name]] }),
    () => ({ ...fields, [random.pick(names)]: fields[name] }),
    () => ({ ...fields, [random.pick(KEYS)]: value(random) }),
  ])();
}

/** Written by hand, or what `JSON.stringify` does not write. */
function oddText(random: Random): string {
  const levels = random.pick([100, 1_000, 20_000, 200_000]);
  return random.pick<() => string>([
    () => '['.repeat(levels) + ']'.repeat(levels),
    () => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`,
    () =>
      `{"type":"cabe:boot-failed","code":1,"message":"${'x'.repeat(random.pick([4_096, 70_000, 3_000_000]))}"}`,
    () => '{"__proto__":{"cmd":"NODE_HANDLE"},"type":"net.Server"}',
    () => '{"type":"cabe:usage","rss":1e400,"cpuMs":-1e400}',
    () => `[${'1e9,'.repeat(random.pick([10, 100_000]))}0]`,
    () => random.pick(['null', 'true', '5', '""', '"ready"', '[]', '{}', '{"cmd":"NODE_"}', '"NODE_HANDLE"']),
    () => '{"cmd":"NODE_CLUSTER","act":"queryServer","cmd":"NODE_HANDLE","type":"net.Server","msg":{}}',
  ])();
}

/** Bytes are lost, doubled, replaced, added. */
function mutated(text: string, random: Random): string {
  const at = random.between(0, text.length);
  const end = Math.min(text.length, at + random.between(0, 8));
  const middle = random.pick([
    '',
    text.slice(at, end) + text.slice(at, end),
    random.pick([
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\n',
      '\n\n',
      '\\',
      '\0',
      '\xff\xfe',
      '\xe2\x82',
      '\r\n',
    ]),
    Array.from({ length: random.between(1, 60) }, () => String.fromCharCode(random.between(0, 255))).join(''),
  ]);
  return text.slice(0, at) + middle + text.slice(end);
}

function message(random: Random): string {
  if (random.chance(0.1)) return oddText(random);
  let fields = random.pick([ours, ofCluster, ofCluster, ofNode, ofNode])(random);
  if (random.chance(0.35)) fields = mangled(fields, random);
  return latin1(JSON.stringify(random.chance(0.03) ? value(random) : fields) ?? 'null');
}

/** Bytes of UTF-8 as characters of one byte each, as the other texts here are. */
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

/** One line, or what passes for one. */
function line(random: Random): string {
  const text = random.chance(0.05)
    ? Array.from({ length: random.between(1, 400) }, () => String.fromCharCode(random.between(0, 255))).join(
        '',
      )
    : message(random);
  const sent = random.chance(0.12) ? mutated(text, random) : text;
  // Without an end it runs into the next one.
  return random.chance(0.04) ? sent : `${sent}\n`;
}

/** How much a flood writes, in bytes: more than the supervisor takes. */
const FLOOD = 40 * 2 ** 20;

function flood(random: Random): Step {
  const text = random.pick<() => string>([
    () => `${message(random).slice(0, 2_000)}\n`,
    () => line(random).slice(0, 2_000),
    () => 'x'.repeat(65_536),
    () => '\n',
  ])();
  const times = Math.min(Math.ceil(FLOOD / Math.max(text.length, 1)), random.pick([2_000, 100_000]));
  return { do: 'write', text, times };
}

function step(random: Random): Step {
  const kind = random.fraction();
  if (kind < 0.04) return flood(random);
  if (kind < 0.1) return { do: 'wait' };
  if (kind < 0.11) return { do: 'disconnect' };
  if (kind < 0.16) return { do: 'end', how: random.pick(['exit', 'SIGKILL']) };
  if (kind < 0.26)
    return {
      do: 'send',
      message: JSON.stringify(random.chance(0.5) ? envelope(random) : ours(random)),
      handle: random.pick(HANDLES),
    };
  const times = random.chance(0.9) ? 1 : random.pick([2, 20, 70]);
  // Several lines at once come with one read.
  const text = Array.from({ length: random.chance(0.5) ? 1 : random.between(2, 6) }, () => line(random)).join(
    '',
  );
  return random.chance(0.4)
    ? { do: 'write', text, times, handle: random.pick(HANDLES) }
    : { do: 'write', text, times };
}

export function attackOf(seed: number, number: number): Attack {
  const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  return { number, steps: Array.from({ length: random.between(1, 8) }, () => step(random)) };
}
